//! The proofs that there are, by the binary of the function that they are for.

use std::collections::BTreeSet;

use lake::Layout;
use lake_tools::verify::{self, BronzeProof, DatabaseProof, SilverProof};
use plane::{pipeline::published_topics, proof::Proof};
use runtime::Environment;
use sam_template::{Function, Pipeline};
use stream::Cluster;

use crate::up::{Store, UpError};

/// The names of the proofs, as `quotelake verify` takes them.
pub const NAMES: [&str; 3] = [BronzeProof::NAME, SilverProof::NAME, DatabaseProof::NAME];

/// The proofs of a pipeline's functions.
pub(crate) struct Proofs {
    /// Each with the function that it is of.
    pub(crate) of: Vec<(Function, Box<dyn Proof>)>,
    /// The functions whose promise nothing checks.
    pub(crate) unverified: Vec<String>,
}

impl Proofs {
    /// The proofs of every function that has one.
    pub(crate) async fn of(
        pipeline: &Pipeline,
        cluster: &Cluster,
        store: &Store,
    ) -> Result<Self, UpError> {
        let mut of: Vec<(Function, Box<dyn Proof>)> = Vec::new();
        for function in &pipeline.functions {
            if let Some(proof) = proof(function, pipeline, cluster, store).await? {
                of.push((function.clone(), proof));
            }
        }
        Ok(Self {
            unverified: unverified(pipeline, &of),
            of,
        })
    }
}

/// The proof for the function, by what it is; a function whose environment its binary would not start with has none.
async fn proof(
    function: &Function,
    pipeline: &Pipeline,
    cluster: &Cluster,
    store: &Store,
) -> Result<Option<Box<dyn Proof>>, UpError> {
    let setting = |error| UpError::Setting {
        function: function.name.clone(),
        error: Box::new(error),
    };
    match function.binary.as_str() {
        verify::BINARY => {
            let environment: Environment = function.environment.clone().into_iter().collect();
            if !function
                .environment
                .contains_key(bronze_writer::BUCKET.name)
            {
                return Ok(None);
            }
            let bucket: String = environment.read(&bronze_writer::BUCKET).map_err(setting)?;
            let layout = bronze_writer::layout(&environment).map_err(setting)?;
            Ok(Some(Box::new(BronzeProof {
                location: store.location(&bucket, &layout),
                store: store.bucket(&bucket).await?,
                layout,
                cluster: cluster.clone(),
            })))
        }
        verify::SILVER_BINARY => {
            let environment: Environment = function.environment.clone().into_iter().collect();
            let bucket = function.environment.get(bronze_writer::BUCKET.name);
            let Some(bucket) = bucket else {
                return Ok(None);
            };
            let settings = bar_roller::Settings::read(&environment).map_err(setting)?;
            let place = settings.place;
            let inputs = function
                .schedules
                .iter()
                .filter_map(|schedule| schedule.input.get("topic"));
            let topics: BTreeSet<&str> = inputs.filter_map(|topic| topic.as_str()).collect();
            Ok(Some(Box::new(SilverProof {
                location: store.place(bucket, &place.silver),
                store: store.bucket(bucket).await?,
                bronze: place.bronze,
                silver: place.silver,
                epoch: place.epoch,
                topics: topics.into_iter().map(str::to_owned).collect(),
                how: settings.how,
            })))
        }
        verify::DATABASE_BINARY => {
            let environment: Environment = function.environment.clone().into_iter().collect();
            let is_given = |name: &str| function.environment.contains_key(name);
            if !is_given(bronze_writer::BUCKET.name) || !is_given("DATABASE_HOST") {
                return Ok(None);
            }
            let settings = quote_upserter::Settings::read(&environment).map_err(|error| {
                UpError::Database {
                    function: function.name.clone(),
                    error: Box::new(error),
                }
            })?;
            let (bucket, how) = (settings.store.bucket, settings.how);
            Ok(Some(Box::new(DatabaseProof {
                location: format!("postgres://{}", settings.access),
                access: settings.access,
                store: store.bucket(&bucket).await?,
                bronze: bronze_in(pipeline, &bucket),
                quarantine: how.quarantine,
                epoch: how.epoch,
                history: how.history,
                cluster: cluster.clone(),
            })))
        }
        _ => Ok(None),
    }
}

/// The layout of the bronze writer that writes to this bucket.
fn bronze_in(pipeline: &Pipeline, bucket: &str) -> Option<Layout> {
    let mut writers = pipeline.functions.iter().filter(|function| {
        let of = function.environment.get(bronze_writer::BUCKET.name);
        function.binary == verify::BINARY && of.is_some_and(|of| of == bucket)
    });
    let environment = writers.next()?.environment.clone();
    bronze_writer::layout(&environment.into_iter().collect()).ok()
}

/// The functions without a proof, but for those that publish only to topics of which another's proof counts the records.
fn unverified(pipeline: &Pipeline, proofs: &[(Function, Box<dyn Proof>)]) -> Vec<String> {
    let counted = proofs.iter().flat_map(|(function, _)| &function.kafka);
    let counted: BTreeSet<&str> = counted.map(|event| event.topic.as_str()).collect();
    let is_verified = |function: &Function| {
        let published = published_topics(function);
        let is_counted =
            !published.is_empty() && published.iter().all(|topic| counted.contains(&**topic));
        is_counted || proofs.iter().any(|(of, _)| of.name == function.name)
    };
    let functions = pipeline.functions.iter();
    let unverified = functions.filter(|function| !is_verified(function));
    unverified.map(|function| function.name.clone()).collect()
}
