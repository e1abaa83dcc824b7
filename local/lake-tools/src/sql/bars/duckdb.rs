use market::bars::Rules;

use super::{Dialect, views};
use crate::sql::{Lake, Topic, duckdb::secret};

const DUCKDB: Dialect = Dialect {
    temporary: "",
    text: "varchar",
    read,
    kafka: ("_kafka", "timestamp"),
    micros: |text| format!("epoch_us(try_cast({text} as timestamp))"),
    time: |micros| format!("timezone('UTC', make_timestamp({micros}))"),
    local_date: |micros, zone| {
        format!("cast(timezone({zone}, timezone('UTC', make_timestamp({micros}))) as date)")
    },
    midnight: |date, zone| format!("epoch_us(timezone({zone}, cast({date} as timestamp)))"),
    id: |text| {
        format!(
            "case when regexp_full_match({text}, '[0-9a-f]{{32}}') then {text} else left(sha256({text}), 32) end"
        )
    },
    words: |text| {
        format!(
            "nullif(array_to_string(list_sort(list_distinct(flatten(list(string_split({text}, ',')) filter (where ({text}) is not null)))), ','), '')"
        )
    },
    each_bar: ", unnest(data) as items(bar)",
};

pub(super) fn text(lake: &Lake, topics: &[Topic], rules: Rules) -> String {
    let topics = topics
        .iter()
        .map(|(topic, _)| views(&DUCKDB, lake, topic, rules));
    let mut text = secret(lake);
    text.extend(topics);
    text
}

/// Decimals are read by their digits, to the eighteenth after the point.
fn read(lake: &Lake, topic: &str) -> String {
    format!(
        "read_json('{base}/{objects}',
        format = 'newline_delimited', ignore_errors = true, hive_partitioning = true,
        hive_types = {{epoch: VARCHAR, lake_topic: VARCHAR, lake_symbol: VARCHAR, lake_date: DATE}},
        columns = {{
            symbol: 'VARCHAR', c: 'DECIMAL(38,18)', price: 'DECIMAL(38,18)', size: 'DECIMAL(38,18)',
            volume: 'DECIMAL(38,18)', total_volume: 'DECIMAL(38,18)', t: 'BIGINT', time: 'VARCHAR', event_time: 'BIGINT',
            fetched_at: 'BIGINT',
            data: 'STRUCT(\"Date\" VARCHAR, \"Open\" DECIMAL(38,18), \"High\" DECIMAL(38,18), \"Low\" DECIMAL(38,18), \"Close\" DECIMAL(38,18), \"Volume\" DECIMAL(38,18))[]',
            meta: 'STRUCT(source VARCHAR, schema VARCHAR, event_id VARCHAR, symbol VARCHAR, asset_class VARCHAR, mic VARCHAR, currency VARCHAR, event_time VARCHAR, fetched_at VARCHAR)',
            _kafka: 'STRUCT(partition INTEGER, \"offset\" BIGINT, \"timestamp\" BIGINT)'
        }})",
        base = lake.base("s3"),
        objects = lake.objects(topic),
    )
}
