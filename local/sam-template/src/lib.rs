//! The pipeline that a SAM template describes: its functions, triggers, schedules and buckets.
//!
//! Read are the SAM functions with their environment, schedules and Kafka triggers, the event source mappings beside them,
//! and the buckets. Parameters take the values that are given, else their defaults. `Globals`, `Rules`, `Conditions`,
//! `Mappings` and the intrinsic functions mean what they mean to CloudFormation, with a made-up account and region. What this
//! does not read, such as policies, alarms and outputs, it does not judge either.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! let pipeline = sam_template::parse(
//!     "
//! Parameters:
//!   Topic: {Type: String, Default: quotes}
//! Resources:
//!   Poller:
//!     Type: AWS::Serverless::Function
//!     Metadata: {BuildProperties: {Binary: poller}}
//!     Properties:
//!       Environment: {Variables: {TOPIC: !Ref Topic}}
//! ",
//!     &BTreeMap::from([("Topic".to_owned(), "trades".to_owned())]),
//! )?;
//! assert_eq!(pipeline.functions[0].environment["TOPIC"], "trades");
//! # Ok::<(), sam_template::TemplateError>(())
//! ```

#![forbid(unsafe_code)]

mod condition;
mod declared;
mod error;
mod event;
mod failure;
mod function_url;
mod intrinsic;
mod parameters;
mod pipeline;
mod resource;
mod rule;
pub mod schedule;
mod section;
mod sub;
mod yaml;

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use crate::schedule::Expression;
pub use declared::{Declared, declared};
pub use error::{Problem, TemplateError};
pub use failure::{FailurePolicy, OnFailure};
pub use parameters::name_and_value;

/// The region that `AWS::Region` stands for.
pub const REGION: &str = "us-east-1";

/// The account that `AWS::AccountId` stands for.
pub const ACCOUNT: &str = "000000000000";

/// The ARN of the function `name` in that account.
pub fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

/// What a template runs, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pipeline {
    /// The functions.
    pub functions: Vec<Function>,
    /// The names of the buckets.
    pub buckets: Vec<String>,
}

/// One function. Its `Debug` leaves out the values of the environment, which may be secrets.
#[derive(Clone, PartialEq)]
pub struct Function {
    /// The logical id.
    pub name: String,
    /// The Cargo binary, from `Metadata.BuildProperties.Binary`.
    pub binary: String,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// The memory in MiB.
    pub memory_mb: u32,
    /// `ReservedConcurrentExecutions`: the most invocations at once; `None` is no limit.
    pub reserved_concurrency: Option<u32>,
    /// What becomes of an asynchronous invocation that fails.
    pub event_invoke: EventInvokeConfig,
    /// The environment variables.
    pub environment: BTreeMap<String, String>,
    /// Its schedules.
    pub schedules: Vec<ScheduleEvent>,
    /// Its Kafka triggers.
    pub kafka: Vec<KafkaEvent>,
    /// Its URL, if it has one.
    pub url: Option<FunctionUrl>,
}

/// `FunctionUrlConfig`: HTTP requests invoke the function and its answers are their responses, buffered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionUrl {
    /// Who may call it.
    pub auth: UrlAuth,
}

/// `AuthType`: who may call a function's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlAuth {
    /// `NONE`: everybody.
    Anyone,
    /// `AWS_IAM`: who signs the request with the credentials of an account.
    Iam,
}

/// `EventInvokeConfig`: how long an asynchronous invocation is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventInvokeConfig {
    /// `MaximumRetryAttempts`: tries after a first one that failed, 0 to 2.
    pub retries: u32,
    /// `MaximumEventAgeInSeconds`: an event older than this is not tried any more, 60 s to 6 hours.
    pub event_age: Duration,
}

/// A schedule that invokes a function.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleEvent {
    /// The event's name.
    pub name: String,
    /// When it fires.
    pub expression: Expression,
    /// On whose clock.
    pub timezone: TimeZone,
    /// The payload.
    pub input: serde_json::Value,
    /// Whether it fires at all.
    pub enabled: bool,
    /// The template's line of its expression, from 1.
    pub line: usize,
}

/// A Kafka topic that triggers a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaEvent {
    /// The event's name.
    pub name: String,
    /// The topic.
    pub topic: String,
    /// The consumer group; where the template has none, the function's and the event's names.
    pub consumer_group: String,
    /// The most records of a batch, 1 to 10,000.
    pub batch_size: usize,
    /// How long a batch may wait to be filled.
    pub window: Duration,
    /// Where a group without commits starts.
    pub starting_position: StartingPosition,
    /// How many consumers share its partitions, 1 to 200.
    pub pollers: u32,
    /// When it gives up on records.
    pub failures: FailurePolicy,
    /// Where those go that it has given up on.
    pub on_failure: Option<OnFailure>,
    /// Whether it is consumed at all.
    pub enabled: bool,
}

/// Where a consumer group without commits starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartingPosition {
    /// At the oldest record.
    TrimHorizon,
    /// At the next record to come.
    Latest,
    /// At the first record of this time or later.
    AtTimestamp(Timestamp),
}

/// Reads the template at `path`; `parameters` are values for its parameters.
///
/// # Errors
/// [`TemplateError`] with the file and the line.
pub fn read(path: &Path, parameters: &BTreeMap<String, String>) -> Result<Pipeline, TemplateError> {
    parse(&text_of(path)?, parameters).map_err(|error| error.in_file(path))
}

fn text_of(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path).map_err(|reason| TemplateError::Unreadable {
        path: path.to_owned(),
        reason,
    })
}

impl TemplateError {
    fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Wrong { line, problem, .. } => Self::Wrong {
                file: path.display().to_string(),
                line,
                problem,
            },
            unreadable @ Self::Unreadable { .. } => unreadable,
        }
    }
}

/// Reads the template at `path`; of what is `offered`, its parameters take the values for those that it declares, where
/// `parameters` have no others.
///
/// # Errors
/// [`TemplateError`] with the file and the line.
pub fn read_offering(
    path: &Path,
    offered: &BTreeMap<String, String>,
    parameters: &BTreeMap<String, String>,
) -> Result<Pipeline, TemplateError> {
    let declared = declared(&text_of(path)?).map_err(|error| error.in_file(path))?;
    let is_declared = |name: &String| declared.iter().any(|declared| declared.name == *name);
    let mut all = offered.clone();
    all.retain(|name, _| is_declared(name));
    all.extend(parameters.clone());
    read(path, &all)
}

/// Reads the text of a template; `parameters` are values for its parameters.
///
/// # Errors
/// [`TemplateError`] with the line.
pub fn parse(text: &str, parameters: &BTreeMap<String, String>) -> Result<Pipeline, TemplateError> {
    pipeline::pipeline(&yaml::load(text)?, parameters)
}

impl Default for EventInvokeConfig {
    /// The service's: two retries, six hours.
    fn default() -> Self {
        Self {
            retries: 2,
            event_age: Duration::from_hours(6),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .field("binary", &self.binary)
            .field("timeout", &self.timeout)
            .field("memory_mb", &self.memory_mb)
            .field("reserved_concurrency", &self.reserved_concurrency)
            .field("event_invoke", &self.event_invoke)
            .field("environment", &self.environment.keys())
            .field("schedules", &self.schedules)
            .field("kafka", &self.kafka)
            .field("url", &self.url)
            .finish()
    }
}

#[cfg(test)]
mod tests;
