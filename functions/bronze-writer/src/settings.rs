use lake::{Layout, store::S3Settings};
use runtime::{Environment, SettingError};

/// What the function is configured with.
pub struct Settings {
    /// The store: `BRONZE_BUCKET`, and `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` where it is not AWS.
    pub store: S3Settings,
    /// Where objects go: `BRONZE_PREFIX` and `BRONZE_EPOCH`.
    pub layout: Layout,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`SettingError`] for the first that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let bucket: Bucket = environment.required("BRONZE_BUCKET", "the name of an S3 bucket")?;
        let prefix: Prefix =
            environment.required("BRONZE_PREFIX", "a key prefix such as 'bronze'")?;
        let epoch: Option<String> =
            environment.optional("BRONZE_EPOCH", "a name for this history of the topics")?;
        Ok(Self {
            store: S3Settings {
                bucket: bucket.0,
                endpoint: environment
                    .secret("AWS_ENDPOINT_URL_S3")
                    .or_else(|| environment.secret("AWS_ENDPOINT_URL")),
                credentials: None,
            },
            layout: Layout::record(&prefix.0, epoch.as_deref()),
        })
    }
}

struct Bucket(String);

impl std::str::FromStr for Bucket {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        if (3..=63).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err("not 3 to 63 lower-case letters, digits, dots and hyphens")
        }
    }
}

struct Prefix(String);

impl std::str::FromStr for Prefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let segment = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
            !part.is_empty() && part.bytes().all(allowed)
        };
        if text.split('/').all(segment) {
            Ok(Self(text.to_owned()))
        } else {
            Err("not letters, digits, '-', '_' and '=' between single slashes")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(pairs: &[(&str, &str)]) -> String {
        let environment: Environment = pairs.iter().copied().collect();
        Settings::read(&environment).err().unwrap().to_string()
    }

    #[test]
    fn a_wrong_setting_is_refused_by_name() {
        assert_eq!(
            refusal(&[]),
            "the setting BRONZE_BUCKET is missing: set it to the name of an S3 bucket"
        );
        assert_eq!(
            refusal(&[("BRONZE_BUCKET", "My Bucket")]),
            "the setting BRONZE_BUCKET is 'My Bucket' (not 3 to 63 lower-case letters, digits, dots and hyphens): set it to the name of an S3 bucket"
        );
        assert_eq!(
            refusal(&[("BRONZE_BUCKET", "lake"), ("BRONZE_PREFIX", "a//b")]),
            "the setting BRONZE_PREFIX is 'a//b' (not letters, digits, '-', '_' and '=' between single slashes): set it to a key prefix such as 'bronze'"
        );
    }
}
