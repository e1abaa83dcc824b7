//! Readers of silver: its bars with their types, and what window functions make of them.

mod readers;

use silver::columns::{Column, ColumnType, all};

use super::{Lake, Place, SqlError, options::Engine};

/// Where the bars lie, and which intervals there are.
pub(super) struct Silver {
    /// Of the folder or bucket of bars, as a bronze lake would be.
    pub(super) lake: Lake,
    /// The names of the intervals that have files.
    pub(super) intervals: Vec<&'static str>,
}

/// What differs between the engines.
struct Dialect {
    temporary: &'static str,
    /// A decimal zero.
    zero: &'static str,
    double: fn(&str) -> String,
    minutes_between: &'static str,
    filled_start: &'static str,
    filled_end: &'static str,
    each_gap: &'static str,
    utc_day: &'static str,
    window: &'static str,
    window_name: &'static str,
    arg_min: &'static str,
    arg_max: &'static str,
    /// The population standard deviation.
    deviation: &'static str,
}

const INTERVALS: [&str; 3] = ["1m", "1h", "1d"];

impl Silver {
    /// The bars beside a bronze lake with this prefix.
    pub(super) fn beside(lake: &Lake, prefix: &str, bronze: &str) -> Result<Self, SqlError> {
        let place = match &lake.place {
            Place::Folder(path) => {
                let levels = bronze.split('/').filter(|part| !part.is_empty()).count();
                let bucket = path.ancestors().nth(levels).unwrap_or(path);
                Place::Folder(bucket.join(prefix))
            }
            Place::S3 {
                bucket, endpoint, ..
            } => Place::S3 {
                bucket: bucket.clone(),
                prefix: prefix.to_owned(),
                endpoint: endpoint.clone(),
            },
        };
        let lake = Lake::new(place, lake.epoch.clone())?;
        let mut intervals = INTERVALS.to_vec();
        intervals.retain(|interval| lake.has(&format!("lake_interval={interval}")));
        Ok(Self { lake, intervals })
    }

    fn has(&self, interval: &str) -> bool {
        self.intervals.contains(&interval)
    }

    /// Below the base, the files of an interval: a pattern.
    fn files(&self, interval: &str) -> String {
        format!("{}/*/*/*.parquet", self.folders(interval))
    }

    fn folders(&self, interval: &str) -> String {
        let epoch = self.lake.epoch.as_deref().unwrap_or("*");
        format!("epoch={epoch}/lake_interval={interval}")
    }
}

/// The text for an engine. Bronze's text may be before it.
pub(super) fn text(silver: &Silver, engine: Engine) -> Result<String, SqlError> {
    match engine {
        Engine::Duckdb => Ok(readers::duckdb(silver)),
        Engine::Spark => Ok(readers::spark(silver)),
        Engine::Polars => Ok(readers::polars(silver)),
        Engine::Clickhouse => Ok(readers::clickhouse(silver)),
        Engine::Athena => readers::athena(silver),
    }
}

/// The statements of the views over `bars_1m`, `bars_1h` and `bars_1d`.
fn derived(silver: &Silver, dialect: &Dialect) -> String {
    let parts: Vec<String> = silver
        .intervals
        .iter()
        .map(|interval| format!("select * from bars_{interval}"))
        .collect();
    let mut text = format!(
        "create or replace {{temporary}}view bars as\n{};\n\n",
        parts.join("\nunion all\n")
    );
    text.push_str(include_str!("indicators.sql"));
    if silver.has("1m") {
        text.push_str(include_str!("derived.sql"));
    }
    if silver.has("1h") {
        text.push_str(include_str!("spark_daily.sql"));
    }
    let double = dialect.double;
    let values = [
        ("temporary", dialect.temporary.to_owned()),
        ("zero", dialect.zero.to_owned()),
        ("double_high", double("high")),
        ("double_low", double("low")),
        ("double_close", double("close")),
        ("double_volume", double("volume_so_far")),
        ("double_quote_volume", double("quote_volume_so_far")),
        (
            "daily_average",
            format!(
                "case when sum(ticks) > 0 then {} / sum(ticks) end",
                double("sum(price_sum)")
            ),
        ),
        ("minutes_between", dialect.minutes_between.to_owned()),
        ("filled_start", dialect.filled_start.to_owned()),
        ("filled_end", dialect.filled_end.to_owned()),
        ("each_gap", dialect.each_gap.to_owned()),
        ("utc_day", dialect.utc_day.to_owned()),
        ("window", dialect.window.to_owned()),
        ("window_name", dialect.window_name.to_owned()),
        ("arg_min", dialect.arg_min.to_owned()),
        ("arg_max", dialect.arg_max.to_owned()),
        ("deviation", dialect.deviation.to_owned()),
    ];
    super::filled(&text, &values)
}

/// The columns as an engine is told them.
fn columns(type_of: fn(&Column) -> &'static str, quote: &str) -> Vec<String> {
    all()
        .map(|column| format!("{quote}{}{quote} {}", column.name, type_of(&column)))
        .collect()
}

fn names() -> String {
    let names: Vec<&str> = all().map(|column| column.name).collect();
    names.join(", ")
}

fn sql_type(column: &Column) -> &'static str {
    match column.holds {
        ColumnType::Text => "string",
        ColumnType::Decimal => "decimal(38,18)",
        ColumnType::Ratio => "double",
        ColumnType::Count => "bigint",
        ColumnType::Time => "timestamp",
        ColumnType::Date => "date",
        ColumnType::Flag => "boolean",
    }
}
