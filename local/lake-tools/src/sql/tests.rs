use std::fs;

use clap::Parser;

use super::*;

/// The command line of `sql`, read as the tool reads it.
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn printed(arguments: &[&str]) -> Result<String, String> {
    let line = [&["sql"], arguments].concat();
    let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
    run(&line.options).map_err(|error| error.to_string())
}

const ENGINES: [&str; 5] = ["duckdb", "spark", "polars", "clickhouse", "athena"];

#[test]
fn every_engine_is_told_every_column_of_every_topic_and_where_it_lies() {
    for engine in ENGINES {
        let text = printed(&["--engine", engine, "--bucket", "lake", "--prefix", "a/b"]).unwrap();
        for (topic, columns) in TOPICS {
            let of_topic =
                printed(&["--engine", engine, "--bucket", "lake", "--topic", topic]).unwrap();
            for column in of_line(columns) {
                let name = column.name;
                let quoted = ["'", "\"", "`"].map(|quote| format!("{quote}{name}{quote}"));
                let has = |text: &str| quoted.iter().any(|quoted| text.contains(quoted));
                assert!(has(&of_topic), "{engine}: {topic}: {name}");
            }
            assert!(text.contains(&view(topic)), "{engine}: {topic}");
            assert!(text.contains(&format!("lake_topic={topic}")), "{engine}");
        }
        assert!(text.contains("a/b"), "{engine}: {text}");
    }
}

#[test]
fn all_histories_are_read_unless_one_is_named() {
    for engine in ["duckdb", "spark", "polars", "clickhouse"] {
        let all = printed(&["--engine", engine, "--bucket", "lake"]).unwrap();
        assert!(all.contains("epoch=*/lake_topic="), "{engine}");
        let one = printed(&["--engine", engine, "--bucket", "lake", "--epoch", "eu-7"]).unwrap();
        assert!(one.contains("epoch=eu-7/lake_topic="), "{engine}");
        assert!(!one.contains("epoch=*"), "{engine}");
    }
}

#[test]
fn a_folder_is_that_of_the_one_bucket_that_holds_the_prefix() {
    let data = tempfile::tempdir().unwrap();
    let named = data.path().to_str().unwrap();
    let none = printed(&["--engine", "duckdb", "--data", named]).unwrap_err();
    assert!(none.starts_with("there is no history at"), "{none}");
    fs::create_dir_all(data.path().join("s3/lake/bronze")).unwrap();
    fs::create_dir_all(data.path().join("s3/failures")).unwrap();
    let text = printed(&["--engine", "duckdb", "--data", named]).unwrap();
    assert!(
        text.contains(&format!("'{named}/s3/lake/bronze/epoch=*/")),
        "{text}"
    );
    let other = [
        "--engine", "polars", "--data", named, "--bucket", "failures",
    ];
    let text = printed(&other).unwrap();
    assert!(
        text.contains(&format!("LAKE = \"{named}/s3/failures/bronze\"")),
        "{text}"
    );
}

#[test]
fn a_topic_without_objects_in_the_folder_is_left_out_unless_it_is_named() {
    let data = tempfile::tempdir().unwrap();
    let bronze = data.path().join("s3/lake/bronze");
    fs::create_dir_all(bronze.join("epoch=1/lake_topic=trades_raw")).unwrap();
    fs::create_dir_all(bronze.join("epoch=2/lake_topic=stock-board")).unwrap();
    let named = data.path().to_str().unwrap();
    let views = |more: &[&str]| {
        let text = printed(&[&["--engine", "duckdb", "--data", named], more].concat()).unwrap();
        let mut views: Vec<String> = TOPICS.map(|(topic, _)| view(topic)).into();
        views.retain(|view| text.contains(&format!("view {view} as")));
        views
    };
    assert_eq!(views(&[]), ["trades_raw", "stock_board"]);
    assert_eq!(views(&["--epoch", "2"]), ["stock_board"]);
    assert_eq!(views(&["--epoch", "3"]).len(), TOPICS.len());
    assert_eq!(views(&["--topic", "stock-quotes"]), ["stock_quotes"]);
}

#[test]
fn an_endpoint_is_told_to_every_engine_but_athena() {
    let url = "http://127.0.0.1:9000";
    for engine in ENGINES {
        let text = printed(&["--engine", engine, "--bucket", "lake", "--s3-endpoint", url]);
        match text {
            Ok(text) => assert!(text.contains("127.0.0.1:9000"), "{engine}: {text}"),
            Err(error) => assert!(
                engine == "athena" && error.contains("--s3-endpoint"),
                "{error}"
            ),
        }
    }
    let without_bucket = printed(&["--engine", "duckdb", "--s3-endpoint", url]).unwrap_err();
    assert!(without_bucket.contains("--bucket"), "{without_bucket}");
}

#[test]
fn what_can_not_be_told_is_one_sentence_with_the_remedy() {
    let unknown = printed(&["--engine", "spark", "--topic", "weather"]).unwrap_err();
    assert!(
        unknown.contains("\"weather\"") && unknown.contains("stock-quotes"),
        "{unknown}"
    );
    for odd in ["a'b", "a*", "{a,b}", "a\"b", "a\nb", "a$b", "a\\b"] {
        let line = ["--engine", "duckdb", "--bucket", "lake", "--prefix", odd];
        let refused = printed(&line).unwrap_err();
        assert!(refused.contains("take a folder"), "{odd}: {refused}");
    }
    assert!(
        printed(&["--bucket", "lake"])
            .unwrap_err()
            .contains("--engine")
    );
}

#[test]
fn json_has_the_types_of_all_members() {
    let text = printed(&["--json", "--topic", "stock-intraday"]).unwrap();
    let topic: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(topic["topic"], "stock-intraday");
    let data = &topic["columns"][2];
    assert_eq!(
        (&data["name"], &data["type"]),
        (&"data".into(), &"list of objects".into())
    );
    assert_eq!(data["members"][0]["type"], "time");
    assert_eq!(data["members"][4]["name"], "Close");
}

/// The rows of which the template makes tables in Glue; `QUOTELAKE_WRITE=1` writes them anew.
#[test]
fn the_tables_of_the_template_have_the_columns_of_the_topics() {
    let mut text =
        "# The tables of the lake, written by `QUOTELAKE_WRITE=1 cargo test --workspace tables_of_the_template`.\n"
            .to_owned();
    for (topic, columns) in TOPICS {
        let name: String = topic
            .split(['-', '_'])
            .map(|word| word[..1].to_uppercase() + &word[1..])
            .collect();
        text.push_str(&format!(
            "- name: {name}\n  topic: {topic}\n  table: {}\n  columns: |\n",
            view(topic)
        ));
        for (name, kind) in athena::types(columns) {
            text.push_str(&format!("    - {{Name: {name}, Type: \"{kind}\"}}\n"));
        }
    }
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../functions/bronze-writer/template/lake-tables.yaml"
    );
    let environment = runtime::Environment::of_process();
    if environment.secret("QUOTELAKE_WRITE").is_some() {
        fs::write(path, &text).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    assert!(written == text, "{path} is not of these columns");
}

#[test]
fn bars_from_bronze_have_the_columns_of_silver_in_its_order() {
    for engine in ["duckdb", "spark", "athena"] {
        for (topic, _) in TOPICS {
            let text = printed(&[
                "--engine", engine, "--bars", "--bucket", "lake", "--topic", topic,
            ]);
            let text = text.unwrap();
            for interval in ["1m", "1h", "1d"] {
                let name = format!("view bars_{interval}_{}", view(topic));
                let (_, made) = text.split_once(&name).unwrap();
                let mut made = made.split_once("\nfrom").unwrap().0;
                for column in ::silver::columns::all() {
                    let (_, rest) = made.split_once(column.name).unwrap();
                    made = rest;
                }
            }
            assert!(!has_placeholder(&text), "{engine}: {topic}");
        }
    }
    let refused = printed(&["--engine", "polars", "--bars", "--bucket", "lake"]).unwrap_err();
    assert!(refused.contains("Athena"), "{refused}");
}

#[test]
fn what_is_late_in_bars_is_as_told() {
    let line = [
        "--engine",
        "duckdb",
        "--bars",
        "--bucket",
        "lake",
        "--topic",
        "trades_raw",
    ];
    let hour = printed(&line).unwrap();
    assert!(hour.contains("fetched - event > 3600000000 "), "{hour}");
    let minutes = printed(&[&line[..], &["--lateness", "90m", "--ahead", "5s"]].concat()).unwrap();
    assert!(
        minutes.contains("fetched - event > 5400000000 "),
        "{minutes}"
    );
    assert!(
        minutes.contains("event <= fetched + 5000000\n"),
        "{minutes}"
    );
}

#[test]
fn silver_is_read_where_the_folder_has_it_or_when_it_is_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let bucket = data.path().join("s3/lake");
    fs::create_dir_all(bucket.join("bronze/epoch=1/lake_topic=trades_raw")).unwrap();
    let named = data.path().to_str().unwrap();
    let line = ["--engine", "duckdb", "--data", named];
    assert!(!printed(&line).unwrap().contains("read_parquet"));
    let none = printed(&[&line[..], &["--silver"]].concat()).unwrap_err();
    assert!(none.contains("quotelake roll"), "{none}");
    fs::create_dir_all(bucket.join("silver/epoch=1/lake_interval=1h")).unwrap();
    let both = printed(&line).unwrap();
    assert!(both.contains("view trades_raw as") && both.contains("view bars_1h as"));
    assert!(
        both.contains("spark_daily") && !both.contains("bars_1m"),
        "{both}"
    );
    for engine in ENGINES {
        let text = printed(&["--engine", engine, "--silver", "--bucket", "lake"]).unwrap();
        for name in ["bars_1m", "bars_1h", "bars_1d", "lake_interval=1d"] {
            assert!(text.contains(name), "{engine}: {name}");
        }
        assert!(!has_placeholder(&text), "{engine}: {text}");
    }
}

/// Whether a `{name}` of a template is left. Athena's own begin with `$`, Python's are of the lake.
fn has_placeholder(text: &str) -> bool {
    let texts = text
        .replace("${", "")
        .replace("{lake}", "")
        .replace("{silver}", "")
        .replace("{SILVER}", "");
    texts.split('{').skip(1).any(|rest| {
        rest.split_once('}').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    })
}

/// The table of docs/silver.md; `QUOTELAKE_WRITE=1` writes it anew.
#[test]
fn the_columns_of_silver_are_those_of_its_document() {
    use ::silver::columns::{ColumnType, all};

    let mut table = "| column | type | may be null |\n|---|---|---|\n".to_owned();
    for column in all() {
        let kind = match column.holds {
            ColumnType::Text => "text",
            ColumnType::Decimal => "DECIMAL(38,18)",
            ColumnType::Ratio => "DOUBLE",
            ColumnType::Count => "BIGINT",
            ColumnType::Time => "TIMESTAMP, microseconds of UTC",
            ColumnType::Date => "DATE",
            ColumnType::Flag => "BOOLEAN",
        };
        let null = if column.is_required { "" } else { "yes" };
        table.push_str(&format!("| `{}` | {kind} | {null} |\n", column.name));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/silver.md");
    let text = fs::read_to_string(path).unwrap();
    let (before, rest) = text
        .split_once("columns_of_silver`; do not edit -->\n")
        .unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    let expected =
        format!("{before}columns_of_silver`; do not edit -->\n{table}<!-- end -->{after}");
    let environment = runtime::Environment::of_process();
    if environment.secret("QUOTELAKE_WRITE").is_some() {
        fs::write(path, &expected).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    assert!(written == expected, "{path} is not of these columns");
}
