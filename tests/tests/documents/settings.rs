//! The table of the functions' variables is printed from the code, and says what a start accepts.

use std::{collections::BTreeSet, fmt::Write as _};

use feeds::FEEDS;
use kafka_event::answer::FAILURE_RESPONSE;
use quote_poller::Poller;
use runtime::Environment;
use settings::{Absent, Form, REFERENCE, Setting, SettingError};

use super::{sources, workspace};

const ARN: &str = "arn:aws:kafka:eu-west-1:123456789012:cluster/quotes/id-2";

/// Those that read where the lake is.
const OF_THE_LAKE: &str = "bronze-writer, bar-roller, quote-upserter";

/// Those that answer a trigger of Kafka.
const OF_A_TRIGGER: &str = "bronze-writer, quote-upserter";

/// What a function needs beside the variable that is tried, which takes the place of one of these.
const LAKE: &[(&str, &str)] = &[
    ("BRONZE_BUCKET", "lake"),
    ("BRONZE_PREFIX", "bronze"),
    ("DATABASE_HOST", "127.0.0.1"),
    ("DATABASE_USER", "quotelake"),
    ("DATABASE_SECRET", "ssm:database"),
    ("AWS_REGION", "eu-west-1"),
];
const POLLER: &[(&str, &str)] = &[
    ("MSK_CLUSTER_ARN", ARN),
    ("KAFKA_SECURITY", "scram"),
    ("KAFKA_CREDENTIALS_SECRET", "ssm:user"),
    ("AWS_REGION", "eu-west-1"),
    ("FINNHUB_API_KEY_SECRET", "ssm:finnhub"),
];

/// Every setting with who reads it, in the order of the table.
fn settings() -> Vec<(&'static str, Setting)> {
    let feeds = FEEDS
        .iter()
        .map(|(.., settings)| ("quote-poller", *settings));
    [("quote-poller", stream::SETTINGS)]
        .into_iter()
        .chain(feeds)
        .chain([
            (OF_THE_LAKE, lake::settings::SETTINGS),
            ("bronze-writer", bronze_writer::SETTINGS),
            (OF_A_TRIGGER, &[FAILURE_RESPONSE]),
            ("bar-roller", bar_roller::SETTINGS),
            ("quote-upserter", tables::postgres::SETTINGS),
            ("quote-upserter", quote_upserter::SETTINGS),
            ("all", runtime::SETTINGS),
            ("all", settings::aws::SETTINGS),
        ])
        .flat_map(|(function, settings)| settings.iter().map(move |&setting| (function, setting)))
        .collect()
}

pub(super) fn table() -> String {
    let mut table =
        "| variable | function | default | range | meaning |\n|---|---|---|---|---|\n".to_owned();
    for (function, setting) in settings() {
        let default = match setting.absent {
            Absent::Required => "required".to_owned(),
            Absent::Is(number) if number.parse::<u64>().is_ok() => number.to_owned(),
            Absent::Is(default) => format!("`{default}`"),
            Absent::Means(words) => words.to_owned(),
        };
        let (name, range, meaning) = (setting.name, setting.form.range(), setting.meaning);
        writeln!(
            table,
            "| `{name}` | {function} | {default} | {range} | {meaning} |"
        )
        .unwrap();
    }
    table
}

/// Starts the function with these settings as far as it goes without brokers and a store.
async fn start(function: &str, settings: &[(&str, &str)]) -> Result<(), String> {
    let environment: Environment = settings.iter().copied().collect();
    let said = |error: SettingError| error.to_string();
    let writer = || bronze_writer::Settings::read(&environment).map_err(said);
    let roller = || bar_roller::Settings::read(&environment).map_err(said);
    let upserter = || quote_upserter::Settings::read(&environment).map_err(|e| e.to_string());
    let of_the_lake = match function {
        "bronze-writer" => Some(writer().map(drop)),
        "bar-roller" => Some(roller().map(drop)),
        "quote-upserter" => Some(upserter().map(drop)),
        OF_A_TRIGGER => Some(writer().and(upserter()).map(drop)),
        OF_THE_LAKE => Some(writer().and(roller()).and(upserter()).map(drop)),
        _ => None,
    };
    if let Some(read) = of_the_lake {
        return read;
    }
    let read = quote_poller::Settings::read(&environment);
    let read = read.map_err(|error| error.to_string())?;
    let opened = Poller::new(read.feeds).open(&read.set_feeds).await;
    opened.map_err(|error| error.to_string())
}

/// Values that a setting can have, and values that it can't.
fn tries(setting: &Setting) -> (Vec<String>, Vec<String>) {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    match setting.form {
        Form::OneOf(words) => (texts(words), texts(&["none of these"])),
        Form::Number(least, most) => {
            let right = [least, most].map(|number| number.to_string());
            let wrong = [i64::from(least) - 1, i64::from(most) + 1];
            let wrong = wrong.iter().map(ToString::to_string);
            (right.to_vec(), wrong.chain(["many".to_owned()]).collect())
        }
        Form::Url => (Vec::new(), texts(&["here", "ftp://here"])),
        REFERENCE => (
            texts(&[
                "ssm:a",
                "file:a.pem",
                "file:a#member",
                "secretsmanager:a#member",
            ]),
            texts(&["a.pem", "ssm:a#member"]),
        ),
        Form::Text { .. } => {
            let (right, wrong) = examples(setting.name);
            (texts(right), texts(wrong))
        }
    }
}

/// Right and wrong values of a setting whose form is known to its reader alone.
fn examples(name: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match name {
        "KAFKA_BOOTSTRAP_SERVERS" => (&["a:1,b:2"], &["a", "a:b"]),
        "MSK_CLUSTER_ARN" => (&[ARN], &["quotes", "arn:aws:s3:::quotes"]),
        "FINNHUB_API_KEY" => (&["any"], &[]),
        "VIETNAM_SOURCES" => (&["dnse", "kbs,vci"], &["ssi", "vci,vci"]),
        "VCI_HEADERS" | "KBS_HEADERS" | "DNSE_HEADERS" => {
            (&[r#"{"a":"b"}"#], &["a: b", r#"["a"]"#, r#"{"a":1}"#])
        }
        "BRONZE_BUCKET" => (&["my.lake-1"], &["My Lake", "s3://lake"]),
        "BRONZE_PREFIX" => (&["aZ09-_=", "a/b"], &["a b", "a//b", "/a", "ä"]),
        "SILVER_PREFIX" => (
            &["aZ09-_=", "a/b"],
            &["a b", "a//b", "/a", "ä", "bronze", "bronze/a"],
        ),
        "BRONZE_EPOCH" => (
            &["aZ09-_", "1234567890123456789012345678901234567890"],
            &[
                "a b",
                "a/b",
                "a=b",
                "ä",
                "12345678901234567890123456789012345678901",
            ],
        ),
        "DATABASE_HOST" => (
            &["db.example.com", "10.0.0.1"],
            &["postgres://db", "db:5432", "a,b"],
        ),
        "DATABASE_NAME" | "DATABASE_USER" => (&["quotes"], &[]),
        "DATABASE_QUARANTINE_PREFIX" => (
            &["aZ09-_=", "a/b"],
            &["a b", "a//b", "/a", "ä", "bronze", "bronze/a"],
        ),
        "BRONZE_SEGMENT_SECONDS" => (&["1", "86400"], &["0", "7", "86401", "many"]),
        "BRONZE_SEGMENT_OFFSETS" => (&["1", "2147483647"], &["0", "many"]),
        "FAILURE_RESPONSE" => (&["batch", "items"], &["none of these"]),
        "LOG_LEVEL" | "STACK_NAME" | "QUOTELAKE_DIE_WITH_PARENT" | "AWS_REGION" => (&[], &[]),
        _ => panic!("no test knows right and wrong values of {name}"),
    }
}

#[tokio::test]
async fn a_documented_range_is_the_one_that_a_start_accepts() {
    for (function, setting) in settings() {
        let name = setting.name;
        let needed = match function {
            "bronze-writer" | "bar-roller" | "quote-upserter" | OF_A_TRIGGER | OF_THE_LAKE => LAKE,
            _ => POLLER,
        };
        let start = async |value: &str| start(function, &[needed, &[(name, value)]].concat()).await;
        let (right, wrong) = tries(&setting);
        let default = match setting.absent {
            Absent::Is(default) => Some(default.to_owned()),
            _ => None,
        };
        for value in right.into_iter().chain(default) {
            assert_eq!(start(&value).await, Ok(()), "{name}={value}");
        }
        // The SDK reads the addresses of AWS, when it is asked for something.
        for value in wrong.iter().filter(|_| !name.starts_with("AWS_")) {
            let refused = start(value).await.expect_err(&format!("{name}={value}"));
            assert!(refused.contains(name), "{name}={value}: {refused}");
            let is_shown = refused.contains(&format!("'{value}' ("));
            assert!(!(is_shown && setting.is_secret), "{refused}");
        }
    }
}

#[tokio::test]
async fn a_setting_documented_as_required_is_asked_for() {
    let required = settings().into_iter();
    let required = required.filter(|(_, setting)| setting.absent == Absent::Required);
    let required: Vec<_> = required.collect();
    assert!(!required.is_empty());
    for (function, setting) in required {
        let others = LAKE.iter().copied();
        let others: Vec<_> = others.filter(|(name, _)| *name != setting.name).collect();
        let refused = start(function, &others).await.unwrap_err();
        let missing = format!("the setting {} is missing", setting.name);
        assert!(refused.contains(&missing), "{refused}");
    }
}

#[test]
fn no_setting_is_missing_in_the_tables_or_there_twice() {
    let mut defined = 0;
    for folder in ["functions", "shared"] {
        sources(&workspace().join(folder), &mut |source| {
            let production = source.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = production
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            defined += lines.filter(|line| line.contains(": Setting =")).count();
        });
    }
    let names: BTreeSet<_> = settings().iter().map(|(_, setting)| setting.name).collect();
    assert_eq!(names.len(), settings().len());
    assert_eq!(names.len(), defined, "in the tables, and defined");
}
