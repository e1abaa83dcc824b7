//! `quotelake up`: the whole pipeline in one process tree, wired by the template.
//!
//! [`Running::start`] brings the parts up in the order in which they need each other; [`Running::stop`] lets the pollers
//! finish and the triggers drain, and has every function's [proof](crate::proofs) judge what they have left.

mod command;
mod error;
mod options;
mod parts;
mod postgres;
mod store;
pub mod summary;
pub mod view;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use lake_tools::verify::BronzeProof;
use plane::{
    Ended, Plane, Settings, binaries,
    data_folder::DataFolder,
    host::Host,
    proof::{Proof, expected_of},
    stats::Stats,
};
use sam_template::Function;
use stream::Cluster;

use crate::{
    pipeline::{check_responses, destinations},
    proofs::Proofs,
};
pub use command::{Feed, Up};
pub use error::UpError;
pub use options::{FeedSource, Options};
use parts::{Broker, Market};
pub use postgres::{Database, DatabaseAccess, DatabaseSource};
use postgres::{LOG, Postgres};
pub use store::{S3Access, Store};
use summary::{Proven, Summary};

/// A running pipeline with its market, broker and store. Dropping it stops everything at once.
pub struct Running {
    plane: Plane,
    proofs: Proofs,
    store: Store,
    market: Market,
    broker: Broker,
    postgres: Option<Postgres>,
    folder: DataFolder,
}

impl Running {
    /// Starts every part.
    ///
    /// # Errors
    /// [`UpError`]: one sentence that names the part, with what is already started stopped again.
    pub async fn start(options: &Options) -> Result<Self, UpError> {
        let mut folder = DataFolder::open(&options.data)?;
        parts::name_epoch(options, &mut folder)?;
        let bin_dir = match &options.bin_dir {
            Some(folder) => folder.clone(),
            None => binaries::build(&parts::workspace(&options.template)).await?,
        };
        let market = Market::start(options).await?;
        let broker = Broker::start(options).await?;
        let postgres = match &options.database {
            Some(database) => Some(Postgres::start(database, &folder).await?),
            None => None,
        };
        let mut offered = parts::offered(&folder, &broker, &market);
        offered.extend(postgres.iter().flat_map(Postgres::parameters));
        let (template, parameters) = (&options.template, &options.parameters);
        let mut pipeline = sam_template::read_offering(template, &offered, parameters)?;
        parts::secure(&mut pipeline, options);
        if let Some(postgres) = &postgres {
            postgres.secure(&mut pipeline);
        }
        if pipeline.functions.iter().all(is_idle) {
            return Err(UpError::Idle(options.template.clone()));
        }
        check_responses(&pipeline)?;
        for function in &pipeline.functions {
            binaries::find(&bin_dir, &function.binary)?;
        }
        broker
            .create_topics(&plane::pipeline::topics(&pipeline))
            .await?;
        let store = Store::start(options, &folder, &pipeline).await?;
        let proofs = Proofs::of(&pipeline, broker.cluster(), &store).await?;
        let bucket = async |name: &str| store.bucket(name).await;
        let plane = Plane::start(Settings {
            destinations: destinations(&pipeline, bucket).await?,
            bin_dir,
            cluster: broker.cluster().clone(),
            service_environment: store.service_environment(),
            logs: folder.logs(),
            pipeline,
        });
        Ok(Self {
            plane: plane.await?,
            proofs,
            store,
            market,
            broker,
            postgres,
            folder,
        })
    }

    /// The plane that runs the functions.
    pub fn plane(&self) -> &Plane {
        &self.plane
    }

    /// The counts so far.
    pub fn stats(&self) -> &Arc<Stats> {
        self.plane.stats()
    }

    /// The Lambda host.
    pub fn host(&self) -> &Host {
        self.plane.host()
    }

    /// The brokers.
    pub fn cluster(&self) -> &Cluster {
        self.broker.cluster()
    }

    /// The recorded market, if the feed is not live.
    pub fn market(&self) -> Option<&market_server::Running> {
        match &self.market {
            Market::Recorded(market) => Some(market),
            Market::Live { .. } => None,
        }
    }

    /// The object store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How the database of quotes is found, if the run has one.
    pub fn database(&self) -> Option<&DatabaseAccess> {
        self.postgres.as_ref().map(Postgres::access)
    }

    /// The proofs of the functions that have one, with their functions.
    pub fn proofs(&self) -> impl Iterator<Item = (&str, &dyn Proof)> {
        let proofs = self.proofs.of.iter();
        proofs.map(|(function, proof)| (&*function.name, &**proof))
    }

    /// Where a person finds the objects: those of the one lake, else all.
    pub fn location(&self) -> String {
        let proofs = self.proofs.of.iter().map(|(_, proof)| proof);
        let lakes: Vec<_> = proofs
            .filter(|proof| proof.name() == BronzeProof::NAME)
            .collect();
        match lakes.as_slice() {
            [proof] => proof.location().to_owned(),
            _ => self.store.root(),
        }
    }

    /// The folder with the functions' logs.
    pub fn logs(&self) -> PathBuf {
        self.folder.logs()
    }

    /// How long it has been running.
    pub fn elapsed(&self) -> Duration {
        self.plane.elapsed()
    }

    /// Waits until a part fails, which normally never happens.
    pub async fn failure(&mut self) -> UpError {
        let Some(postgres) = &mut self.postgres else {
            return self.plane.failure().await.into();
        };
        tokio::select! {
            error = self.plane.failure() => error.into(),
            () = postgres.ended() => UpError::PostgresEnded(self.folder.logs().join(LOG)),
        }
    }

    /// Lets the pollers finish and the triggers drain, and judges what the functions have left.
    ///
    /// # Errors
    /// [`UpError`] if the brokers or the store can't be read any more.
    pub async fn stop(self) -> Result<Summary, UpError> {
        let ended = self.plane.stop().await?;
        let mut proofs = Vec::new();
        for (function, proof) in &self.proofs.of {
            proofs.push(judge(function, &**proof, &ended, &self.folder).await?);
        }
        if let Some(postgres) = self.postgres {
            postgres.stop().await;
        }
        Ok(Summary {
            seconds: ended.elapsed.as_secs_f64(),
            shared_topics: self.broker.is_shared(),
            counts: ended.counts.into(),
            proofs,
            unverified: self.proofs.unverified,
        })
    }
}

async fn judge(
    function: &Function,
    proof: &dyn Proof,
    ended: &Ended,
    folder: &DataFolder,
) -> Result<Proven, UpError> {
    let expected = expected_of(&function.name, &ended.ends);
    folder.write_expected(&proof.expected_under(), &expected)?;
    let judgement = proof.judge(&expected).await;
    let of_function = ended.ends.iter().filter(|of| of.function == function.name);
    let backlog = of_function.map(|ends| ends.backlog).sum();
    let topics: BTreeSet<&str> = function.kafka.iter().map(|event| &*event.topic).collect();
    let polled_of = |topic| ended.counts.total(|of| of.metric_of("QuotesPolled", topic));
    Ok(Proven {
        function: function.name.clone(),
        proof: proof.name(),
        location: proof.location().to_owned(),
        polled: topics.into_iter().map(polled_of).sum(),
        backlog,
        judgement: judgement.map_err(|cause| UpError::Proof {
            function: function.name.clone(),
            cause,
        })?,
    })
}

/// Whether nothing ever invokes the function.
fn is_idle(function: &Function) -> bool {
    let is_triggered = function.kafka.iter().any(|event| event.enabled);
    let is_scheduled = function.schedules.iter().any(|schedule| schedule.enabled);
    !is_triggered && !is_scheduled && function.url.is_none()
}
