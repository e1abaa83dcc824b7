use market::bars::Rules;

use super::{Dialect, views};
use crate::sql::{
    Lake, Topic, filled,
    spark::{settings, statements},
    view,
};

const SPARK: Dialect = Dialect {
    temporary: "temporary ",
    text: "string",
    read: |_, topic| format!("bars_read_{}", view(topic)),
    kafka: ("_kafka", "timestamp"),
    micros: |text| format!("unix_micros(try_cast({text} as timestamp))"),
    time: |micros| format!("timestamp_micros({micros})"),
    // Times without a zone, so that the session's takes no part.
    local_date: |micros, zone| {
        format!(
            "cast(convert_timezone('UTC', {zone}, timestampadd(MICROSECOND, {micros}, timestamp_ntz'1970-01-01')) as date)"
        )
    },
    midnight: |date, zone| {
        format!(
            "timestampdiff(MICROSECOND, timestamp_ntz'1970-01-01', convert_timezone({zone}, 'UTC', cast({date} as timestamp_ntz)))"
        )
    },
    id: |text| {
        format!(
            "case when regexp_like({text}, '^[0-9a-f]{{32}}$') then {text} else left(sha2({text}, 256), 32) end"
        )
    },
    words: |text| {
        format!(
            "nullif(array_join(array_sort(array_distinct(flatten(collect_list(split({text}, ','))))), ','), '')"
        )
    },
    each_bar: "lateral view explode(data) items as bar",
};

/// Temporary views for Spark 4, in Python.
pub(super) fn text(lake: &Lake, topics: &[Topic], rules: Rules) -> String {
    let mut text = format!("{}\nlake = \"{}\"\n", settings(lake), lake.base("s3a"));
    for (topic, _) in topics {
        let values = [("folders", lake.folders(topic)), ("view", view(topic))];
        text.push_str(&filled(READ, &values));
        text.push_str(&statements(&views(&SPARK, lake, topic, rules)));
    }
    text
}

const READ: &str = r#"
(
    spark.read.schema("""
        symbol STRING, c DECIMAL(38,18), price DECIMAL(38,18), size DECIMAL(38,18), volume DECIMAL(38,18),
        total_volume DECIMAL(38,18), t BIGINT, time STRING, event_time BIGINT, fetched_at BIGINT,
        data ARRAY<STRUCT<Date: STRING, Open: DECIMAL(38,18), High: DECIMAL(38,18), Low: DECIMAL(38,18), Close: DECIMAL(38,18),
            Volume: DECIMAL(38,18)>>,
        meta STRUCT<source: STRING, schema: STRING, event_id: STRING, symbol: STRING, asset_class: STRING, mic: STRING,
            currency: STRING, event_time: STRING, fetched_at: STRING>,
        _kafka STRUCT<partition: INT, offset: BIGINT, timestamp: BIGINT>,
        epoch STRING, lake_topic STRING, lake_symbol STRING, lake_date DATE
    """)
    .option("basePath", lake).json(f"{lake}/{folders}").createOrReplaceTempView("bars_read_{view}")
)
"#;
