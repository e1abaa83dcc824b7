//! The object store of the lake, embedded or from elsewhere.

use std::collections::BTreeMap;

use lake::{Layout, store::S3Store};
use runtime::{Environment, SettingError};

use super::{Options, UpError};
use crate::{
    data_folder::DataFolder,
    lake_location::{Endpoint, connect},
    object_store::ObjectStore,
    template::Pipeline,
};

/// The object store of the lake, as the plane reads it.
pub struct Store {
    s3: S3Store,
    layout: Layout,
    location: String,
    endpoint: Endpoint,
    _embedded: Option<ObjectStore>,
}

impl Store {
    pub(super) async fn start(
        options: &Options,
        folder: &DataFolder,
        pipeline: &Pipeline,
    ) -> Result<Self, UpError> {
        let (embedded, endpoint) = match &options.s3_endpoint {
            None => {
                let store = ObjectStore::start(&folder.objects(), options.s3_port).await?;
                let endpoint = Endpoint::embedded(store.endpoint());
                (Some(store), endpoint)
            }
            Some(url) => {
                let given = options.s3_credentials.clone();
                (None, Endpoint::emulator(url.clone(), given))
            }
        };
        let (bucket, layout) = lake_of(pipeline, options)?;
        for name in pipeline.buckets.iter().chain([&bucket]) {
            connect(Some(&endpoint), name).await.create_bucket().await?;
        }
        let location = match &embedded {
            Some(_) => folder
                .objects()
                .join(&bucket)
                .join(layout.root())
                .display()
                .to_string(),
            None => format!("{}/{bucket}/{}", endpoint.url, layout.root()),
        };
        Ok(Self {
            s3: connect(Some(&endpoint), &bucket).await,
            layout,
            location,
            endpoint,
            _embedded: embedded,
        })
    }

    /// The client of the lake's bucket.
    pub fn s3(&self) -> &S3Store {
        &self.s3
    }

    /// Where the lake's objects are in it.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint.url
    }

    /// Where a person finds them: a folder or a URL.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The client of another of its buckets, which is created unless it exists.
    pub(super) async fn bucket(&self, name: &str) -> Result<S3Store, UpError> {
        let bucket = connect(Some(&self.endpoint), name).await;
        bucket.create_bucket().await?;
        Ok(bucket)
    }

    /// What Lambda and the account would set for the functions.
    pub(super) fn service_environment(&self) -> BTreeMap<String, String> {
        let Endpoint {
            url,
            access_key,
            secret_key,
        } = &self.endpoint;
        [
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", access_key),
            ("AWS_SECRET_ACCESS_KEY", secret_key),
            ("AWS_ENDPOINT_URL_S3", url),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

/// Bucket and layout as the triggered function gets them.
fn lake_of(pipeline: &Pipeline, options: &Options) -> Result<(String, Layout), UpError> {
    let writer = pipeline
        .functions
        .iter()
        .find(|function| !function.kafka.is_empty());
    let writer = writer.ok_or_else(|| UpError::Idle {
        template: options.template.clone(),
        what: "a Kafka trigger",
    })?;
    let environment: Environment = writer.environment.clone().into_iter().collect();
    let unset = |error: SettingError| UpError::Setting {
        template: options.template.clone(),
        function: writer.name.clone(),
        error: Box::new(error),
    };
    let bucket = environment.read(&bronze_writer::BUCKET);
    let layout = bronze_writer::layout(&environment);
    Ok((bucket.map_err(unset)?, layout.map_err(unset)?))
}
