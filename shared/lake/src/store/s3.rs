use std::time::Duration;

use aws_config::{BehaviorVersion, retry::RetryConfig, timeout::TimeoutConfig};
pub use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{get_object::GetObjectOutput, put_object::builders::PutObjectFluentBuilder},
    primitives::ByteStream,
};
use aws_smithy_checksums::body::validate::Error;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use bytes::Bytes;
use cause::{Cause, innermost};

use super::{DeleteIf, ETag, Get, List, Listed, OBJECT_MAX, Object, PAGE, PutIf, StoreError, past};
use crate::ObjectKey;

/// Which bucket, and how to reach it. The region comes as the AWS SDK finds it.
#[derive(Clone, Debug)]
pub struct S3Settings {
    /// The bucket's name.
    pub bucket: String,
    /// Another endpoint than AWS, spoken to in path style: an emulator or the one-machine plane.
    pub endpoint: Option<String>,
    /// Other credentials than those that the AWS SDK finds.
    pub credentials: Option<Credentials>,
}

/// A bucket on S3 or on what speaks its protocol.
#[derive(Clone, Debug)]
pub struct S3Store {
    client: Client,
    bucket: String,
    /// For errors: the bucket and its endpoint.
    name: String,
}

impl S3Store {
    /// Makes the client; nothing is asked of the store yet.
    pub async fn connect(settings: S3Settings) -> Self {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(10))
            .build();
        let mut shared = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts);
        if let Some(credentials) = settings.credentials {
            shared = shared.region("us-east-1").credentials_provider(credentials);
        }
        let shared = shared.load().await;
        let mut config = aws_sdk_s3::config::Builder::from(&shared);
        if let Some(endpoint) = &settings.endpoint {
            config = config.endpoint_url(endpoint).force_path_style(true);
        }
        let name = match &settings.endpoint {
            Some(endpoint) => format!("{endpoint}/{}", settings.bucket),
            None => format!("s3://{}", settings.bucket),
        };
        Self {
            client: Client::from_conf(config.build()),
            bucket: settings.bucket,
            name,
        }
    }

    /// Creates the bucket unless it exists: for emulators; a deployed bucket is the template's.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn create_bucket(&self) -> Result<(), StoreError> {
        match self
            .client
            .create_bucket()
            .bucket(&self.bucket)
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => match error.code() {
                Some("BucketAlreadyOwnedByYou" | "BucketAlreadyExists") => Ok(()),
                _ => Err(self.fault(&ObjectKey::new(""), error)),
            },
        }
    }

    /// Sends `put`; `unmet` is what it means if its condition does not hold.
    async fn put(
        &self,
        put: PutObjectFluentBuilder,
        key: &ObjectKey,
        body: Bytes,
        unmet: StoreError,
    ) -> Result<ETag, StoreError> {
        let put = put
            .bucket(&self.bucket)
            .key(key.as_str())
            .body(ByteStream::from(body));
        match put.send().await {
            Ok(written) => self.etag(key, written.e_tag),
            Err(error) if precondition_failed(&error) => Err(unmet),
            Err(error) => Err(self.fault(key, error)),
        }
    }

    fn etag(&self, key: &ObjectKey, etag: Option<String>) -> Result<ETag, StoreError> {
        match etag {
            Some(etag) if !etag.is_empty() => Ok(ETag(etag)),
            _ => Err(StoreError::NoETag {
                store: self.name.clone(),
                key: key.clone(),
            }),
        }
    }

    /// Reads the body of an answer into one piece of memory.
    async fn read(
        &self,
        key: &ObjectKey,
        answer: GetObjectOutput,
        most: usize,
    ) -> Result<Object, StoreError> {
        let too_large = |size| StoreError::TooLarge {
            key: key.clone(),
            size,
        };
        let length = answer.content_length.unwrap_or_default();
        let length = usize::try_from(length).unwrap_or_default();
        if length > most {
            return Err(too_large(length));
        }
        let etag = self.etag(key, answer.e_tag)?;
        let mut body = Vec::with_capacity(length);
        let mut chunks = answer.body;
        while let Some(chunk) = chunks
            .try_next()
            .await
            .map_err(|error| self.broken_off(key, error))?
        {
            if body.len() + chunk.len() > most {
                // A store that does not say the length.
                return Err(too_large(OBJECT_MAX.max(most + 1)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Object {
            body: body.into(),
            etag,
        })
    }

    /// An answer that began and did not come to its end.
    fn broken_off<E: std::error::Error + Send + Sync + 'static>(
        &self,
        key: &ObjectKey,
        error: E,
    ) -> StoreError {
        let is_corrupt = is_corrupt(&error);
        let cause = Cause::of(error);
        if is_corrupt {
            return StoreError::Corrupt {
                key: key.clone(),
                cause,
            };
        }
        StoreError::Unavailable {
            store: self.name.clone(),
            cause,
        }
    }

    fn fault<E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static>(
        &self,
        key: &ObjectKey,
        error: SdkError<E>,
    ) -> StoreError {
        let store = || self.name.clone();
        let status = status(&error);
        let code = error.code().unwrap_or_default().to_owned();
        let words = match (code.as_str(), error.message().unwrap_or_default()) {
            ("", "") => innermost(&error),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        };
        let is_unsent = matches!(error, SdkError::ConstructionFailure(_));
        let cause = || match error.into_source() {
            Ok(source) => Cause::in_words(words, source),
            Err(error) => Cause::in_words(words, error),
        };
        if is_unsent {
            return StoreError::Refused {
                store: store(),
                cause: cause(),
            };
        }
        match (code.as_str(), status) {
            ("ConditionalRequestConflict" | "OperationAborted", _) | (_, Some(409)) => {
                StoreError::Conflict { key: key.clone() }
            }
            ("NoSuchBucket", _) => StoreError::NoBucket { store: store() },
            ("NoSuchKey", _) | ("" | "NotFound", Some(404)) => {
                StoreError::NotFound { key: key.clone() }
            }
            ("SlowDown" | "ServiceUnavailable" | "Throttling" | "RequestLimitExceeded", _)
            | (_, Some(429 | 503)) => StoreError::Throttled { store: store() },
            ("NotImplemented", _) | (_, Some(501)) => StoreError::NotImplemented {
                store: store(),
                cause: cause(),
            },
            (_, Some(401 | 403)) => StoreError::Denied {
                store: store(),
                cause: cause(),
            },
            (_, Some(300..=499)) => StoreError::Refused {
                store: store(),
                cause: cause(),
            },
            _ => StoreError::Unavailable {
                store: store(),
                cause: cause(),
            },
        }
    }
}

/// Whether one of an error's causes is a checksum that does not fit.
fn is_corrupt(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut checksums = causes.filter_map(|cause| cause.downcast_ref::<Error>());
    checksums.any(|error| matches!(error, Error::ChecksumMismatch { .. }))
}

/// Whether the store answered that the condition does not hold.
fn precondition_failed<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    match error.code() {
        Some(code) => code == "PreconditionFailed",
        None => status(error) == Some(412),
    }
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    let response = error.raw_response()?;
    Some(response.status().as_u16())
}

impl PutIf for S3Store {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        let put = self.client.put_object().if_none_match("*");
        self.put(
            put,
            key,
            body,
            StoreError::AlreadyExists { key: key.clone() },
        )
        .await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        let put = self.client.put_object().if_match(&etag.0);
        self.put(put, key, body, StoreError::Changed { key: key.clone() })
            .await
    }
}

impl Get for S3Store {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        let get = self.client.get_object();
        let get = get.bucket(&self.bucket).key(key.as_str());
        let answer = get.send().await.map_err(|error| self.fault(key, error))?;
        self.read(key, answer, most).await
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        let get = self.client.get_object();
        let get = get.bucket(&self.bucket).key(key.as_str());
        match get.if_none_match(&etag.0).send().await {
            Ok(answer) => self.read(key, answer, most).await.map(Some),
            Err(error) if status(&error) == Some(304) => Ok(None),
            Err(error) => Err(self.fault(key, error)),
        }
    }
}

impl DeleteIf for S3Store {
    async fn delete_if_match(&self, key: &ObjectKey, etag: &ETag) -> Result<(), StoreError> {
        let delete = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .if_match(&etag.0);
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) if precondition_failed(&error) => {
                Err(StoreError::Changed { key: key.clone() })
            }
            Err(error) => match self.fault(key, error) {
                // Of a condition on an absent object S3 says that there is none.
                StoreError::NotFound { .. } => Ok(()),
                fault => Err(fault),
            },
        }
    }
}

impl List for S3Store {
    async fn list(
        &self,
        prefix: &str,
        after: Option<&ObjectKey>,
    ) -> Result<Vec<Listed>, StoreError> {
        let mut listed = Vec::new();
        let mut start = after.map(|after| after.as_str().to_owned());
        loop {
            let list = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(prefix)
                .set_start_after(start);
            let page = list
                .send()
                .await
                .map_err(|error| self.fault(&ObjectKey::new(prefix), error))?;
            let objects = page.contents.unwrap_or_default();
            let last = objects.last().and_then(|last| last.key.clone());
            for object in objects {
                let (Some(key), Some(size)) = (object.key, object.size) else {
                    continue;
                };
                listed.push(Listed {
                    etag: self.etag(&ObjectKey::new(key.as_str()), object.e_tag)?,
                    key: ObjectKey::new(key),
                    size: u64::try_from(size).unwrap_or(0),
                });
            }
            // A store may show fewer than there are.
            if listed.len() >= PAGE || page.is_truncated != Some(true) || last.is_none() {
                return Ok(listed);
            }
            start = last;
        }
    }

    async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
        // Stores differ on whether a listing that starts after a folder shows it again; none shows it after its end.
        let mut start = after.map(past);
        loop {
            let list = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(prefix)
                .delimiter("/")
                .set_start_after(start);
            let page = list
                .send()
                .await
                .map_err(|error| self.fault(&ObjectKey::new(prefix), error))?;
            let folders = page.common_prefixes.unwrap_or_default();
            let mut folders: Vec<_> = folders.into_iter().filter_map(|one| one.prefix).collect();
            let objects = page.contents.unwrap_or_default();
            let object = objects.into_iter().next_back().and_then(|last| last.key);
            let last = folders.last().map(|folder| past(folder)).max(object);
            folders.retain(|folder| after.is_none_or(|after| folder.as_str() > after));
            if !folders.is_empty() || page.is_truncated != Some(true) || last.is_none() {
                return Ok(folders);
            }
            // A page of objects alone.
            start = last;
        }
    }
}

#[cfg(test)]
mod tests;
