//! The defaults and ranges of the functions' variables are those of the code.

use feeds::FeedSettings;
use quote_poller::Poller;
use runtime::Environment;

use super::{code, rows, sources, workspace};

const ARN: &str = "arn:aws:kafka:eu-west-1:123456789012:cluster/quotes/id-2";

/// What a function needs beside the variable that is tried, which takes the place of one of these.
const WRITER: &[(&str, &str)] = &[("BRONZE_BUCKET", "lake"), ("BRONZE_PREFIX", "bronze")];
const POLLER: &[(&str, &str)] = &[
    ("MSK_CLUSTER_ARN", ARN),
    ("KAFKA_SECURITY", "scram"),
    ("KAFKA_CREDENTIALS_SECRET", "ssm:user"),
    ("AWS_REGION", "eu-west-1"),
    ("FINNHUB_API_KEY_SECRET", "ssm:finnhub"),
];

struct Variable {
    name: String,
    function: String,
    default: String,
    range: String,
}

impl Variable {
    fn is_of_writer(&self) -> bool {
        self.function == "bronze-writer"
    }

    /// The default, if it is a value and no words.
    fn default_value(&self) -> Option<&str> {
        let number = self.default.parse::<u64>().ok();
        let number = number.map(|_| self.default.as_str());
        number.or_else(|| {
            code(&self.default)
                .into_iter()
                .next()
                .filter(|_| self.default.starts_with('`'))
        })
    }
}

/// The variables that a function checks itself, not the AWS SDK or what both functions share.
fn variables() -> Vec<Variable> {
    let rows = rows("Variables of the functions").into_iter();
    let variables = rows.map(|row| Variable {
        name: code(&row[0])[0].to_owned(),
        function: row[1].clone(),
        default: row[2].clone(),
        range: row[3].clone(),
    });
    let own =
        |variable: &Variable| variable.function != "both" && !variable.name.starts_with("AWS_");
    variables.filter(own).collect()
}

/// Starts the function with these settings as far as it goes without brokers and a store.
async fn start(of_writer: bool, settings: &[(&str, &str)]) -> Result<(), String> {
    let environment: Environment = settings.iter().copied().collect();
    if of_writer {
        let read = bronze_writer::Settings::read(&environment);
        return read.map(drop).map_err(|error| error.to_string());
    }
    let read = quote_poller::Settings::read(&environment);
    let read = read.map_err(|error| error.to_string())?;
    let opened = Poller::new(read.feeds).open(&read.set_feeds).await;
    opened.map_err(|error| error.to_string())
}

/// Values in the range and values out of it.
fn tries(variable: &Variable) -> (Vec<String>, Vec<String>) {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let range = variable.range.as_str();
    if let Some((least, most)) = numbers(range) {
        let beyond = most.map(|most| most + 1);
        let uneven = range.ends_with("divides a day").then_some(7);
        let wrong = [Some(least - 1), beyond, uneven].into_iter().flatten();
        // Where no most is said, as many as anything is counted in.
        let right = [least, most.unwrap_or(i32::MAX.unsigned_abs().into())].into_iter();
        return (
            right.map(|number| number.to_string()).collect(),
            wrong
                .map(|number| number.to_string())
                .chain(["many".to_owned()])
                .collect(),
        );
    }
    let listed: Vec<String> = code(range)
        .iter()
        .map(|value| format!("`{value}`"))
        .collect();
    if listed.join(", ") == range {
        let values = code(range).into_iter();
        let values = values
            .flat_map(|value| ["", "#member"].map(|member| value.replace("[#member]", member)));
        return (values.collect(), texts(&["none of these"]));
    }
    let (right, wrong): (&[&str], &[&str]) = match range {
        "`host:port`, comma-separated" => (&["a:1,b:2"], &["a", "a:b"]),
        "an MSK cluster's ARN" => (&[ARN], &["quotes", "arn:aws:s3:::quotes"]),
        "the same kinds of reference" => (&["ssm:ca", "file:ca.pem"], &["ca.pem"]),
        "text" => (&["any"], &[]),
        "URL" => (
            &[variable.default_value().unwrap()],
            &["here", "ftp://here"],
        ),
        "of the three, comma-separated" => (&["dnse", "kbs,vci"], &["ssi", "vci,vci"]),
        "a JSON object of texts" => (&[r#"{"a":"b"}"#], &["a: b", r#"["a"]"#, r#"{"a":1}"#]),
        "an S3 bucket's name" => (&["my.lake-1"], &["My Lake", "s3://lake"]),
        "at most 40 letters, digits, `-`, `_`" => (
            &["aZ09-_", "1234567890123456789012345678901234567890"],
            &[
                "a b",
                "a/b",
                "a=b",
                "ä",
                "12345678901234567890123456789012345678901",
            ],
        ),
        "letters, digits, `-`, `_`, `=` between single slashes" => {
            (&["aZ09-_=", "a/b"], &["a b", "a//b", "/a", "ä"])
        }
        _ => panic!("{}: no test knows what {range:?} means", variable.name),
    };
    (texts(right), texts(wrong))
}

/// The least and the most of `1 to 9` or `1 or more`, whatever else is said behind a comma.
fn numbers(range: &str) -> Option<(u64, Option<u64>)> {
    let range = range.split(',').next()?;
    if let Some(least) = range.strip_suffix(" or more") {
        return Some((least.parse().ok()?, None));
    }
    let (least, most) = range.split_once(" to ")?;
    Some((least.parse().ok()?, Some(most.parse().ok()?)))
}

#[tokio::test]
async fn a_range_that_is_documented_is_the_one_that_a_start_accepts() {
    for variable in variables() {
        let (of_writer, name) = (variable.is_of_writer(), variable.name.as_str());
        let needed = if of_writer { WRITER } else { POLLER };
        let start =
            async |value: &str| start(of_writer, &[needed, &[(name, value)]].concat()).await;
        let (right, wrong) = tries(&variable);
        for value in right {
            assert_eq!(start(&value).await, Ok(()), "{name}={value}");
        }
        for value in wrong {
            let refused = start(&value).await.expect_err(&format!("{name}={value}"));
            assert!(refused.contains(name), "{name}={value}: {refused}");
        }
    }
}

#[tokio::test]
async fn what_is_documented_as_required_is_what_a_start_asks_for() {
    let required = variables();
    let required = required
        .iter()
        .filter(|variable| variable.default == "required");
    let required: Vec<_> = required.map(|variable| variable.name.as_str()).collect();
    assert_eq!(
        required,
        WRITER.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    );
    for name in required {
        let others: Vec<_> = WRITER
            .iter()
            .copied()
            .filter(|(other, _)| *other != name)
            .collect();
        let refused = start(true, &others).await.unwrap_err();
        assert!(refused.contains(&format!("{name} is missing")), "{refused}");
    }
}

#[tokio::test]
async fn a_default_that_is_documented_is_what_a_function_takes() {
    let mut code = String::new();
    sources(&workspace().join("shared/feeds"), &mut |source| {
        code.extend(source.split_whitespace().flat_map(|word| [word, " "]));
    });
    for variable in variables() {
        let (name, Some(default)) = (variable.name.as_str(), variable.default_value()) else {
            continue;
        };
        match name {
            _ if variable.is_of_writer() => {
                let settings = |more: &[(&str, &str)]| {
                    let environment = [WRITER, more].concat().into_iter().collect();
                    let settings = bronze_writer::Settings::read(&environment).unwrap();
                    (settings.layout, settings.failure_response)
                };
                assert_eq!(settings(&[]), settings(&[(name, default)]), "{name}");
            }
            "KAFKA_SECURITY" => {
                let cluster = async |more: &[(&str, &str)]| {
                    let environment = [&[("KAFKA_BOOTSTRAP_SERVERS", "a:1")], more].concat();
                    let environment = environment.into_iter().collect();
                    let settings = quote_poller::Settings::read(&environment).unwrap();
                    settings.access.cluster().await.unwrap()
                };
                assert_eq!(cluster(&[]).await, cluster(&[(name, default)]).await);
            }
            "VIETNAM_SOURCES" => {
                let settings = FeedSettings::new(|_| None, None, runtime::clock::now);
                let budgets = feeds::open("vietnam", &settings).unwrap().budgets;
                let asked: Vec<_> = budgets.iter().map(|(source, _)| *source).collect();
                assert_eq!(asked.join(","), default);
            }
            // The name and the default are the arguments of one call, or a pair.
            _ => {
                let given = [
                    format!(r#""{name}", {default}"#),
                    format!(r#""{name}", "{default}""#),
                ];
                assert!(given.iter().any(|given| code.contains(given)), "{name}");
            }
        }
    }
}
