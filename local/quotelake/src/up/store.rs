//! The object store, embedded or from elsewhere.

use std::{collections::BTreeMap, path::PathBuf};

use lake::{Layout, store::S3Store};
use lake_tools::lake_location::{Endpoint, connect};
use plane::{
    data_folder::DataFolder,
    object_store::{ObjectStore, REGION},
};
use sam_template::Pipeline;
use serde::Serialize;

use super::{Options, UpError};

/// The object store as the pipeline finds it.
pub struct Store {
    endpoint: Endpoint,
    /// The folder of the buckets, where the store is embedded.
    folder: Option<PathBuf>,
    buckets: Vec<String>,
    _embedded: Option<ObjectStore>,
}

/// What an S3 client needs besides the endpoint to read the embedded store. Its keys protect nothing.
#[derive(Clone, Debug, Serialize)]
pub struct S3Access {
    /// The region.
    pub s3_region: &'static str,
    /// The buckets.
    pub s3_buckets: Vec<String>,
    /// The access key.
    pub s3_access_key: String,
    /// The secret key.
    pub s3_secret_key: String,
}

impl Store {
    pub(super) async fn start(
        options: &Options,
        folder: &DataFolder,
        pipeline: &Pipeline,
    ) -> Result<Self, UpError> {
        let store = match &options.s3_endpoint {
            None => {
                let embedded = ObjectStore::start(&folder.objects(), options.s3_port).await?;
                Self {
                    endpoint: Endpoint::embedded(embedded.endpoint()),
                    folder: Some(folder.objects()),
                    buckets: pipeline.buckets.clone(),
                    _embedded: Some(embedded),
                }
            }
            Some(url) => Self {
                endpoint: Endpoint::emulator(url.clone(), options.s3_credentials.clone()),
                folder: None,
                buckets: pipeline.buckets.clone(),
                _embedded: None,
            },
        };
        for name in &pipeline.buckets {
            store.bucket(name).await?;
        }
        Ok(store)
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint.url
    }

    /// What any S3 client needs to read the embedded store; nothing of a store from elsewhere, whose keys are its user's.
    pub(super) fn access(&self) -> Option<S3Access> {
        self.folder.as_ref().map(|_| S3Access {
            s3_region: REGION,
            s3_buckets: self.buckets.clone(),
            s3_access_key: self.endpoint.access_key.clone(),
            s3_secret_key: self.endpoint.secret_key.clone(),
        })
    }

    /// The client of a bucket, which is created unless it exists.
    ///
    /// # Errors
    /// [`UpError::Store`].
    pub async fn bucket(&self, name: &str) -> Result<S3Store, UpError> {
        let bucket = connect(Some(&self.endpoint), name).await;
        bucket.create_bucket().await?;
        Ok(bucket)
    }

    /// Where a person finds the objects of a lake: a folder or a URL.
    pub(crate) fn location(&self, bucket: &str, layout: &Layout) -> String {
        self.place(bucket, &layout.root())
    }

    /// The same of objects with this prefix.
    pub(crate) fn place(&self, bucket: &str, prefix: &str) -> String {
        match &self.folder {
            Some(folder) => folder.join(bucket).join(prefix).display().to_string(),
            None => format!("{}/{bucket}/{prefix}", self.endpoint.url),
        }
    }

    /// Where a person finds every object.
    pub(super) fn root(&self) -> String {
        match &self.folder {
            Some(folder) => folder.display().to_string(),
            None => self.endpoint.url.clone(),
        }
    }

    /// What Lambda and the account would set for the functions.
    pub(super) fn service_environment(&self) -> BTreeMap<String, String> {
        let Endpoint {
            url,
            access_key,
            secret_key,
        } = &self.endpoint;
        [
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", access_key),
            ("AWS_SECRET_ACCESS_KEY", secret_key),
            ("AWS_ENDPOINT_URL_S3", url),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}
