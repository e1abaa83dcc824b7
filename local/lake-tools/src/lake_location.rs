//! Where a lake is: a bucket on S3, or the folder that `quotelake up` has left.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use lake::{
    Layout, described,
    store::{Credentials, S3Settings, S3Store, StoreError},
};
use runtime::Environment;

use plane::{
    data_folder::{DataFolder, DataFolderError},
    object_store::{ACCESS_KEY, ObjectStore, ObjectStoreError, SECRET_KEY},
};

/// The options that name a lake.
#[derive(Clone, Debug, Default, Args)]
pub struct LakeLocation {
    /// The folder of a run of `quotelake up` that has ended [default: quotelake-data, without --bucket].
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// The lake's bucket on S3; with --data the bucket in that folder.
    #[arg(long, value_name = "BUCKET")]
    pub bucket: Option<String>,
    /// The lake's prefix in its bucket.
    #[arg(long, value_name = "PREFIX", default_value = "bronze")]
    pub prefix: String,
    /// The history of the topics [default: the last start of the folder, and none on S3].
    #[arg(long, value_name = "EPOCH")]
    pub epoch: Option<String>,
    /// Another endpoint than AWS for S3, such as that of `MinIO`, ministack or moto (static credentials from `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`, else test/test).
    #[arg(long, value_name = "URL", requires = "bucket", conflicts_with = "data")]
    pub s3_endpoint: Option<String>,
}

/// The folder that `quotelake up` takes without another.
const DEFAULT: &str = "quotelake-data";

/// Why a lake can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum LakeLocationError {
    /// The folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The server over it.
    #[error(transparent)]
    ObjectStore(#[from] ObjectStoreError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No writer has been there.
    #[error(
        "there is no history at {0}: check --data, --bucket and --prefix, or name another of its epochs with --epoch"
    )]
    NoHistory(String),
    /// Planes of several templates had the folder.
    #[error("the folder {} holds lakes in several buckets ({}): name one with --bucket", folder.display(), buckets.join(", "))]
    ManyBuckets {
        /// The folder.
        folder: PathBuf,
        /// The buckets.
        buckets: Vec<String>,
    },
}

/// A lake that can be read and written. The server over a folder ends with this value.
pub struct OpenLake {
    s3: S3Store,
    layout: Layout,
    epoch: Option<String>,
    location: String,
    endpoint: Option<Endpoint>,
    _local: Option<(ObjectStore, DataFolder)>,
}

/// Another S3 than that of AWS. Not `Debug`: it holds credentials.
#[derive(Clone)]
pub struct Endpoint {
    /// Its URL.
    pub url: String,
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
}

impl LakeLocation {
    /// Opens the lake; its layout is what its history says.
    ///
    /// # Errors
    /// [`LakeLocationError`].
    pub async fn open(&self, environment: &Environment) -> Result<OpenLake, LakeLocationError> {
        match (self.folder(), &self.bucket) {
            (None, Some(bucket)) => self.on_s3(bucket, environment).await,
            (folder, _) => self.in_folder(folder.unwrap_or(Path::new(DEFAULT))).await,
        }
    }

    /// The data folder that the lake is in; `None` on S3.
    pub fn folder(&self) -> Option<&Path> {
        match (&self.data, &self.bucket) {
            (None, Some(_)) => None,
            (data, _) => Some(data.as_deref().unwrap_or(Path::new(DEFAULT))),
        }
    }

    /// The folder of the lake's histories in the data folder; nothing is opened.
    pub(crate) fn bronze_folder(&self) -> Result<PathBuf, LakeLocationError> {
        let path = self.folder().unwrap_or(Path::new(DEFAULT));
        let objects = path.join("s3");
        let bucket = self.bucket_in(path, &objects)?;
        Ok(objects.join(bucket).join(&self.prefix))
    }

    async fn on_s3(
        &self,
        bucket: &str,
        environment: &Environment,
    ) -> Result<OpenLake, LakeLocationError> {
        let endpoint = self.s3_endpoint.as_ref().map(|url| {
            let access_key = environment.secret("AWS_ACCESS_KEY_ID");
            let secret_key = environment.secret("AWS_SECRET_ACCESS_KEY");
            Endpoint::emulator(url.clone(), access_key.zip(secret_key))
        });
        let s3 = connect(endpoint.as_ref(), bucket).await;
        let layout = self.layout(&s3, self.epoch.as_deref(), bucket).await?;
        let on = self.s3_endpoint.as_deref().unwrap_or("s3:/");
        Ok(OpenLake {
            location: format!("{on}/{bucket}/{}", layout.root()),
            s3,
            layout,
            epoch: self.epoch.clone(),
            endpoint,
            _local: None,
        })
    }

    async fn in_folder(&self, path: &Path) -> Result<OpenLake, LakeLocationError> {
        let folder = DataFolder::look(path)?;
        let objects = folder.objects();
        let bucket = self.bucket_in(path, &objects)?;
        let server = ObjectStore::start(&objects, 0).await?;
        let endpoint = Some(Endpoint::embedded(server.endpoint()));
        let s3 = connect(endpoint.as_ref(), &bucket).await;
        let epoch = self.epoch.clone().unwrap_or_else(|| folder.epoch());
        let layout = self.layout(&s3, Some(&epoch), &bucket).await?;
        let location = path.join("s3").join(&bucket).join(layout.root());
        Ok(OpenLake {
            s3,
            layout,
            epoch: Some(epoch),
            location: location.display().to_string(),
            endpoint,
            _local: Some((server, folder)),
        })
    }

    async fn layout(
        &self,
        s3: &S3Store,
        epoch: Option<&str>,
        bucket: &str,
    ) -> Result<Layout, LakeLocationError> {
        let layout = described(s3, &self.prefix, epoch).await?;
        layout.ok_or_else(|| {
            let epoch = epoch.map_or_else(String::new, |epoch| format!("/epoch={epoch}"));
            LakeLocationError::NoHistory(format!("{bucket}/{}{epoch}/", self.prefix))
        })
    }

    /// The bucket that is named, else the one that holds the prefix.
    fn bucket_in(&self, path: &Path, objects: &Path) -> Result<String, LakeLocationError> {
        if let Some(bucket) = &self.bucket {
            return Ok(bucket.clone());
        }
        let names = || -> io::Result<Vec<String>> {
            let holds = |name: &String| objects.join(name).join(&self.prefix).is_dir();
            let entries = fs::read_dir(objects)?;
            let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
            let names: Vec<Option<String>> = names.collect::<io::Result<_>>()?;
            Ok(names.into_iter().flatten().filter(holds).collect())
        };
        let buckets = match names() {
            Ok(buckets) => buckets,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(cause) => {
                let folder = path.to_owned();
                return Err(DataFolderError::Io { folder, cause }.into());
            }
        };
        match <[String; 1]>::try_from(buckets) {
            Ok([bucket]) => Ok(bucket),
            Err(none) if none.is_empty() => {
                let at = path.join("s3/*").join(&self.prefix);
                Err(LakeLocationError::NoHistory(at.display().to_string()))
            }
            Err(mut buckets) => {
                buckets.sort();
                let folder = path.to_owned();
                Err(LakeLocationError::ManyBuckets { folder, buckets })
            }
        }
    }
}

impl OpenLake {
    /// The client of the lake's bucket.
    pub fn s3(&self) -> &S3Store {
        &self.s3
    }

    /// Where the lake's objects are in it.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The history of the topics that it is; `None` without a name.
    pub fn epoch(&self) -> Option<&str> {
        self.epoch.as_deref()
    }

    /// Where a person finds them: a folder or a URL.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The client of another bucket of the same store.
    pub async fn bucket(&self, name: &str) -> S3Store {
        connect(self.endpoint.as_ref(), name).await
    }
}

impl Endpoint {
    /// The embedded store at `url`.
    pub fn embedded(url: String) -> Self {
        let pair = (ACCESS_KEY.to_owned(), SECRET_KEY.to_owned());
        Self::emulator(url, Some(pair))
    }

    /// An emulator, with what emulators take unless access key and secret key are given.
    pub fn emulator(url: String, given: Option<(String, String)>) -> Self {
        let test = || ("test".to_owned(), "test".to_owned());
        let (access_key, secret_key) = given.unwrap_or_else(test);
        Self {
            url,
            access_key,
            secret_key,
        }
    }
}

/// The client of a bucket, on AWS without an endpoint.
pub async fn connect(endpoint: Option<&Endpoint>, bucket: &str) -> S3Store {
    let credentials = endpoint.map(
        |Endpoint {
             access_key,
             secret_key,
             ..
         }| { Credentials::new(access_key, secret_key, None, None, "quotelake") },
    );
    S3Store::connect(S3Settings {
        bucket: bucket.to_owned(),
        endpoint: endpoint.map(|endpoint| endpoint.url.clone()),
        credentials,
    })
    .await
}

#[cfg(test)]
mod tests;
