//! The SQL with which an engine makes the bars of silver from bronze: one template for all engines.
//!
//! It says what `market::bars` says, of a whole topic at once: which record of an observation counts, which are late, the
//! order in a bar, and what bars of hours and days compose of. A test in `tests/engines` compares every row with ours.
//! Decimals are cut to the digits that Spark's sums of two decimals keep.

mod athena;
mod duckdb;
mod spark;

use market::bars::{HOUR, MINUTE, Rules};
use silver::columns;

use super::{Lake, Options, SqlError, Topic, filled, options::Engine, view};

/// What differs between the engines. Times are microseconds since 1970, as expressions.
pub(super) struct Dialect {
    /// What comes before `view`.
    temporary: &'static str,
    /// The type of a text.
    text: &'static str,
    /// The lines of a topic: a relation.
    read: fn(&Lake, &str) -> String,
    /// The member `_kafka`, and its member `timestamp`.
    kafka: (&'static str, &'static str),
    /// The microseconds of a text in RFC 3339; null of any other.
    micros: fn(&str) -> String,
    /// A time as the engine's type.
    time: fn(&str) -> String,
    /// The date of a time in a zone.
    local_date: fn(&str, &str) -> String,
    /// When a date begins in a zone.
    midnight: fn(&str, &str) -> String,
    /// 32 hexadecimal digits of any text.
    id: fn(&str) -> String,
    /// The different words of texts with commas, in order, with commas.
    words: fn(&str) -> String,
    /// Joins each object of `data` as `bar`.
    each_bar: &'static str,
}

/// The text for an engine.
pub(super) fn text(
    options: &Options,
    engine: Engine,
    lake: &Lake,
    topics: &[Topic],
) -> Result<String, SqlError> {
    let rules = options.silver.rules();
    match engine {
        Engine::Duckdb => Ok(duckdb::text(lake, topics, rules)),
        Engine::Spark => Ok(spark::text(lake, topics, rules)),
        Engine::Athena => athena::text(lake, topics, rules),
        Engine::Polars | Engine::Clickhouse => Err(SqlError::NoBars),
    }
}

/// The statements that make the views of a topic's bars.
fn views(dialect: &Dialect, lake: &Lake, topic: &str, rules: Rules) -> String {
    let micros = dialect.micros;
    let body = match topic {
        "stock-quotes" => "t * 1000000".to_owned(),
        "crypto-prices" => "event_time * 1000".to_owned(),
        "trades_raw" => "try_cast(time as bigint) * 1000".to_owned(),
        "stock-board" => micros("time"),
        _ => "cast(null as bigint)".to_owned(),
    };
    let bar_time = micros("bar.date");
    let words = |expression: &str| (dialect.words)(expression);
    let parts = |unit: &str, name: &str, parts: &str| {
        let same_kind = |column: &str| {
            words(&format!(
                "case when is_priced = has_priced then {column} end"
            ))
        };
        let values = [
            ("unit", unit.to_owned()),
            ("unit_name", name.to_owned()),
            ("bases", same_kind("basis")),
            ("sources", same_kind("source")),
            ("parts", format!("bars_{parts}_{}", view(topic))),
        ];
        filled(include_str!("compose.sql"), &values)
            .trim_end()
            .to_owned()
    };
    let public = |interval: &str, parts: &str| {
        let values = [
            ("interval", interval.to_owned()),
            ("parts", parts.to_owned()),
            ("columns", public_columns(dialect, interval)),
        ];
        filled(include_str!("public.sql"), &values)
    };
    let whole = [
        ("hours", parts("hour_us", "unit", "minutes")),
        ("daily", include_str!("daily.sql").to_owned()),
        ("days", parts("trading_date", "trading_date", "hours")),
        ("columns", public_columns(dialect, "1d")),
        ("public_minutes", public("1m", "minutes")),
        ("public_hours", public("1h", "hours")),
    ];
    let text = filled(include_str!("bars.sql"), &whole);
    let text = filled(&text, &whole);
    let values = [
        ("view", view(topic)),
        ("topic", topic.to_owned()),
        ("temporary", dialect.temporary.to_owned()),
        ("text", dialect.text.to_owned()),
        ("read", (dialect.read)(lake, topic)),
        ("kafka", dialect.kafka.0.to_owned()),
        ("timestamp", dialect.kafka.1.to_owned()),
        ("schema", format!("{}/1", topic.replace('_', "-"))),
        ("quotes", QUOTES.to_owned()),
        ("event_id", (dialect.id)("meta.event_id")),
        ("meta_fetched", micros("meta.fetched_at")),
        ("meta_event", micros("meta.event_time")),
        ("body_event", body),
        ("event_minute", floor("event", MINUTE)),
        ("fetched_hour", floor("fetched", HOUR)),
        ("start_hour", floor("start_us", HOUR)),
        ("bar_minute", floor(&bar_time, MINUTE)),
        ("bar_time", bar_time),
        (
            "tick_sources",
            words("case when is_counted = 1 or is_closing = 1 then source end"),
        ),
        (
            "start_date",
            (dialect.local_date)("minutes.start_us", "minutes.time_zone"),
        ),
        ("unit_date", (dialect.local_date)("unit", "time_zone")),
        ("day_start", (dialect.midnight)("trading_date", "day_zone")),
        (
            "day_end",
            (dialect.midnight)("cast(trading_date + interval '1' day as date)", "day_zone"),
        ),
        ("each_bar", dialect.each_bar.to_owned()),
        ("lateness", rules.lateness.to_string()),
        ("ahead", rules.ahead.to_string()),
    ];
    filled(&text, &values)
}

/// The schemas of messages that are snapshots of a price.
const QUOTES: &str = "('stock-quotes/1', 'crypto-prices/1', 'stock-prices/1', 'stock-board/1')";

/// A time cut to a whole number of `unit`, also before 1970.
fn floor(time: &str, unit: i64) -> String {
    format!("({time}) - ((({time}) % {unit}) + {unit}) % {unit}")
}

/// The columns of silver, in its order, of what the views hold; then the folders.
fn public_columns(dialect: &Dialect, interval: &str) -> String {
    let columns = columns::all().map(|column| {
        let name = column.name;
        match name {
            "bar_interval" => format!("'{interval}' as {name}"),
            "start_time" => format!("{} as {name}", (dialect.time)("start_us")),
            "end_time" => format!("{} as {name}", (dialect.time)("end_us")),
            "first_event_time" => format!("{} as {name}", (dialect.time)("first_event")),
            "last_event_time" => format!("{} as {name}", (dialect.time)("last_event")),
            "vwap" => format!(
                "case when volume <> 0 then cast(quote_volume as double) / cast(volume as double) end as {name}"
            ),
            "avg_price" => format!(
                "case when ticks > 0 then cast(price_sum as double) / cast(ticks as double) end as {name}"
            ),
            "trades" | "ticks" | "late" => format!("cast({name} as bigint) as {name}"),
            "complete" => format!("is_complete = 1 as {name}"),
            _ => name.to_owned(),
        }
    });
    let folders = ["epoch", "lake_symbol"].map(str::to_owned);
    let columns: Vec<String> = columns.chain(folders).collect();
    columns.join(",\n    ")
}
