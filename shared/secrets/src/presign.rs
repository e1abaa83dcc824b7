use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use cause::Cause;

/// A `GET` of `https://{host}/?{query}` that is signed in its URL: what services of AWS take for a password.
///
/// Format: Signature Version 4 by query parameters (AWS General Reference, "Authenticating Requests").
#[derive(Clone, Copy, Debug)]
pub struct Presign<'p> {
    /// Who signs.
    pub credentials: &'p Credentials,
    /// The region of the service.
    pub region: &'p str,
    /// The name that the service signs with, such as `rds-db`.
    pub service: &'p str,
    /// A host, with `:port` where it is not 443.
    pub host: &'p str,
    /// Names and values, not yet encoded.
    pub query: &'p [(&'p str, &'p str)],
    /// How long the URL is taken from `at` on, in whole seconds.
    pub lifetime: Duration,
    /// When it is signed.
    pub at: SystemTime,
}

impl Presign<'_> {
    /// The URL.
    ///
    /// # Errors
    /// What can't be signed: a host or a name that no URL can have.
    pub fn url(&self) -> Result<String, Cause> {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(self.lifetime);
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.at)
            .settings(settings)
            .build()
            .map_err(Cause::of)?
            .into();
        let mut url = format!("https://{}/?", self.host);
        for (name, value) in self.query {
            push(&mut url, name, value);
        }
        let request =
            SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))
                .map_err(Cause::of)?;
        let (signed, _) = sign(request, &parameters).map_err(Cause::of)?.into_parts();
        let (_, signed) = signed.into_parts();
        for (name, value) in signed {
            push(&mut url, name, &value);
        }
        Ok(url)
    }
}

fn push(url: &mut String, name: &str, value: &str) {
    if !url.ends_with('?') {
        url.push('&');
    }
    url.push_str(name);
    url.push('=');
    url.push_str(&encoded(value));
}

/// `value` with everything but RFC 3986's unreserved characters percent-encoded, as the signature counts it.
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
