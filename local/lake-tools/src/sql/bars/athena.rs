use market::bars::Rules;

use super::{Dialect, views};
use crate::sql::{Lake, Place, SqlError, Topic, filled, view};

const ATHENA: Dialect = Dialect {
    temporary: "",
    text: "varchar",
    read: |lake, topic| {
        // The table is not divided, so the folder and the symbol are those of the object's path.
        format!(
            "(select *, '{}' as epoch, regexp_extract(\"$path\", '/lake_symbol=([^/]+)/', 1) as lake_symbol
        from bars_read_{}) as line",
            epoch(lake),
            view(topic)
        )
    },
    kafka: ("\"_kafka\"", "timestamp"),
    micros: |text| {
        format!(
            "cast(round(to_unixtime(try(from_iso8601_timestamp({text}))) * 1000) as bigint) * 1000"
        )
    },
    // The type of a column has milliseconds.
    time: |micros| {
        format!("date_add('millisecond', ({micros}) / 1000, timestamp '1970-01-01 00:00:00.000')")
    },
    local_date: |micros, zone| {
        format!("cast(at_timezone(from_unixtime(({micros}) / 1000000), {zone}) as date)")
    },
    midnight: |date, zone| {
        format!(
            "cast(to_unixtime(with_timezone(cast({date} as timestamp), {zone})) as bigint) * 1000000"
        )
    },
    id: |text| {
        format!(
            "case when regexp_like({text}, '^[0-9a-f]{{32}}$') then {text} else substr(lower(to_hex(sha256(to_utf8({text})))), 1, 32) end"
        )
    },
    words: |text| {
        format!(
            "nullif(array_join(array_sort(array_distinct(flatten(array_agg(split({text}, ',')) filter (where ({text}) is not null)))), ','), '')"
        )
    },
    each_bar: "cross join unnest(data) as bar (date, open, high, low, close, volume)",
};

/// Tables and views for Athena, and how their rows are written.
pub(super) fn text(lake: &Lake, topics: &[Topic], rules: Rules) -> Result<String, SqlError> {
    let Place::S3 {
        bucket,
        endpoint: None,
        ..
    } = &lake.place
    else {
        return Err(SqlError::OnlyOnS3);
    };
    let names: Vec<&str> = silver::columns::all().map(|column| column.name).collect();
    let mut text = String::new();
    for (topic, _) in topics {
        let values = [
            ("base", lake.base("s3")),
            ("epoch", epoch(lake)),
            ("topic", (*topic).to_owned()),
            ("view", view(topic)),
        ];
        text.push_str(&filled(include_str!("athena_read.sql"), &values));
        text.push_str(&views(&ATHENA, lake, topic, rules));
        for interval in ["1m", "1h", "1d"] {
            let values = [
                ("interval", interval.to_owned()),
                ("bucket", bucket.clone()),
                ("topic", (*topic).to_owned()),
                ("view", view(topic)),
                ("names", names.join(", ")),
            ];
            text.push_str(&filled(include_str!("athena_write.sql"), &values));
        }
    }
    Ok(text)
}

fn epoch(lake: &Lake) -> String {
    lake.epoch.clone().unwrap_or_else(|| "1".to_owned())
}
