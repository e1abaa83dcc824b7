use std::{io, path::PathBuf};

use super::yaml::{Node, short};
use crate::schedule::ExpressionError;

/// Why a template can't be run on this machine.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file can't be read.
    #[error("{} can't be read ({reason}): name the template of the pipeline", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        reason: io::Error,
    },
    /// Something in it is wrong.
    #[error("{file} line {line}: {problem}")]
    Wrong {
        /// The file as it was named; `template.yaml` where only a text was given.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        problem: Problem,
    },
}

/// What is wrong at one line of a template.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The text is not YAML.
    #[error("this is not YAML that can be read ({reason}): correct it")]
    Syntax {
        /// The parser's word.
        reason: String,
    },
    /// Values or intrinsics are nested beyond reason.
    #[error("this is nested too deeply: write it flatter")]
    TooDeep,
    /// A member that must be there is not.
    #[error("{owner} has no {member}: add it")]
    Missing {
        /// What lacks it, by its path.
        owner: String,
        /// The member.
        member: String,
    },
    /// A value is of another type.
    #[error("{name} must be {expected}, and it is {found}: correct it")]
    Type {
        /// The value, by its path.
        name: String,
        /// What it must be, as a noun phrase.
        expected: String,
        /// What it is, as a noun phrase.
        found: String,
    },
    /// A name means nothing in this template.
    #[error("there is no {kind} {name}: declare it or correct the name")]
    Undeclared {
        /// What it should be the name of.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A resource that something refers to is left out by its condition.
    #[error(
        "the resource {name} is left out because its condition is false: refer to it under the same condition"
    )]
    LeftOut {
        /// The resource.
        name: String,
    },
    /// An intrinsic whose value only AWS knows.
    #[error(
        "{intrinsic} is not something the local plane can resolve: give the value by --parameter or write it out"
    )]
    Unsupported {
        /// The intrinsic, in its short form.
        intrinsic: String,
    },
    /// An intrinsic has other arguments than it takes.
    #[error("{intrinsic} takes {expected}: correct its arguments")]
    Arguments {
        /// The intrinsic, in its short form.
        intrinsic: String,
        /// What it takes, as a noun phrase.
        expected: &'static str,
    },
    /// Something refers to itself, directly or by way of others.
    #[error("{name} refers to itself: break the circle")]
    Circle {
        /// The bucket or condition.
        name: String,
    },
    /// A value is beyond what the service takes.
    #[error("{name} is '{value}': it must be {range}")]
    OutOfRange {
        /// The value's path.
        name: String,
        /// The value.
        value: String,
        /// What the service takes, as a noun phrase.
        range: String,
    },
    /// A value was given for a parameter that the template does not have.
    #[error("the template has no parameter {name}: its parameters are {}", known.join(", "))]
    UnknownParameter {
        /// The name that was given.
        name: String,
        /// The parameters that there are.
        known: Vec<String>,
    },
    /// A parameter is needed that has neither a value nor a default.
    #[error("the parameter {name} has no default: give it by --parameter {name}=VALUE")]
    NoValue {
        /// The parameter.
        name: String,
    },
    /// A parameter's value is one that its declaration excludes. The value of a `NoEcho` parameter is left out.
    #[error("the parameter {name} is {}: it must be {allowed}", shown(value.as_deref()))]
    NotAllowed {
        /// The parameter.
        name: String,
        /// Its value, unless that is a secret.
        value: Option<String>,
        /// What it may be, as a noun phrase.
        allowed: String,
    },
    /// The parameters are a combination that a rule of the template refuses.
    #[error("by the rule {rule}: {}", description.trim_end_matches('.'))]
    Refused {
        /// The rule.
        rule: String,
        /// What the template says about it.
        description: String,
    },
    /// An event source that the plane does not have.
    #[error(
        "{event} is of type {event_type}, which the local plane can't run: it runs ScheduleV2, MSK and \
         SelfManagedKafka, and serves HTTP for a function with FunctionUrlConfig"
    )]
    EventType {
        /// The event, by its path.
        event: String,
        /// Its type.
        event_type: String,
    },
    /// A setting that would change what runs, and that the plane does not have.
    #[error(
        "{name} is not something the local plane does, and without it the pipeline would run otherwise than on AWS: leave it out"
    )]
    UnsupportedSetting {
        /// The setting, by its path.
        name: String,
    },
    /// A setting that has an effect in provisioned mode only.
    #[error(
        "{name} takes a trigger in provisioned mode: add ProvisionedPollerConfig or leave it out"
    )]
    OnDemand {
        /// The setting, by its path.
        name: String,
    },
    /// A schedule's input is not JSON.
    #[error("{name} is not JSON ({reason}): write one JSON value")]
    NotJson {
        /// The input, by its path.
        name: String,
        /// The parser's word.
        reason: String,
    },
    /// A schedule expression can't be read.
    #[error("{name}: {reason}")]
    Schedule {
        /// The expression, by its path.
        name: String,
        /// Why.
        reason: ExpressionError,
    },
    /// A time zone is unknown.
    #[error(
        "{name}: there is no time zone '{zone}': name one of the IANA database, such as America/New_York"
    )]
    TimeZone {
        /// The setting, by its path.
        name: String,
        /// Its value.
        zone: String,
    },
}

impl Problem {
    /// This problem at a line.
    pub(super) fn at(self, line: usize) -> TemplateError {
        TemplateError::Wrong {
            file: "template.yaml".to_owned(),
            line,
            problem: self,
        }
    }
}

/// An intrinsic whose argument is not what it takes.
pub(super) fn misplaced(line: usize, intrinsic: &str, expected: &'static str) -> TemplateError {
    let intrinsic = short(intrinsic);
    Problem::Arguments {
        intrinsic,
        expected,
    }
    .at(line)
}

/// An intrinsic, in its short form, whose value only AWS knows.
pub(super) fn unsupported(line: usize, intrinsic: String) -> TemplateError {
    Problem::Unsupported { intrinsic }.at(line)
}

/// A value, with its path, that is of another type.
pub(super) fn wrong_type(node: &Node, name: &str, expected: &str) -> TemplateError {
    let problem = Problem::Type {
        name: name.to_owned(),
        expected: expected.to_owned(),
        found: node.kind(),
    };
    problem.at(node.line)
}

fn shown(value: Option<&str>) -> String {
    value.map_or_else(
        || "a secret that it may not be".to_owned(),
        |value| format!("'{value}'"),
    )
}
