//! The TLS of every connection to a provider.

use std::sync::{Arc, LazyLock};

use reqwest::Url;
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::FeedError;

/// Reading the system's CA certificates takes milliseconds of a processor: once, not for each provider.
static ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!("a CA certificate can't be read: {error}");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    Arc::new(roots)
});

/// The TLS of a client of `base`. A plain server needs no CA certificates, and a small host may have none.
///
/// # Errors
/// [`FeedError::NoRoots`] if there are none and `base` needs some.
pub(crate) fn for_server(base: &Url) -> Result<ClientConfig, FeedError> {
    let roots = match base.scheme() {
        "http" | "ws" => Arc::new(RootCertStore::empty()),
        _ if ROOTS.is_empty() => return Err(FeedError::NoRoots),
        _ => Arc::clone(&ROOTS),
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(FeedError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
