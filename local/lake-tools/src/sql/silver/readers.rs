use silver::columns::{Column, ColumnType};

use super::{Dialect, Silver, columns, derived, names, sql_type};
use crate::sql::{Place, SqlError, clickhouse, duckdb, lines, polars, spark};

pub(super) fn duckdb(silver: &Silver) -> String {
    const DIALECT: Dialect = Dialect {
        temporary: "",
        zero: "0",
        double: |value| format!("cast({value} as double)"),
        minutes_between: "date_diff('minute', start_time, next_time)",
        filled_start: "start_time + to_minutes(gap)",
        filled_end: "end_time + to_minutes(gap)",
        each_gap: ", unnest(range(0, minutes)) as gaps(gap)",
        utc_day: "timezone('UTC', date_trunc('day', timezone('UTC', start_time)))",
        window: "struct_pack(start := day_start, \"end\" := day_start + to_hours(24))",
        window_name: "\"window\"",
        arg_min: "arg_min",
        arg_max: "arg_max",
        deviation: "stddev_pop",
    };
    let mut text = duckdb::secret(&silver.lake);
    for interval in &silver.intervals {
        text.push_str(&format!(
            "create or replace view bars_{interval} as
select {names}, epoch, lake_topic, lake_symbol
from read_parquet('{base}/{files}', hive_partitioning = true,
    hive_types = {{epoch: VARCHAR, lake_interval: VARCHAR, lake_topic: VARCHAR, lake_symbol: VARCHAR}});

",
            names = names(),
            base = silver.lake.base("s3"),
            files = silver.files(interval),
        ));
    }
    text + &derived(silver, &DIALECT)
}

pub(super) fn spark(silver: &Silver) -> String {
    const DIALECT: Dialect = Dialect {
        temporary: "temporary ",
        zero: "0",
        double: |value| format!("cast({value} as double)"),
        minutes_between: "timestampdiff(MINUTE, start_time, next_time)",
        filled_start: "timestampadd(MINUTE, gap, start_time)",
        filled_end: "timestampadd(MINUTE, gap, end_time)",
        each_gap: "lateral view explode(sequence(0, cast(minutes as int) - 1)) gaps as gap",
        utc_day: "timestamp_seconds(unix_seconds(start_time) - unix_seconds(start_time) % 86400)",
        window: "named_struct('start', day_start, 'end', day_start + interval '24' hour)",
        window_name: "window",
        arg_min: "min_by",
        arg_max: "max_by",
        deviation: "stddev_pop",
    };
    let mut text = format!(
        "{}\nsilver = \"{}\"\n",
        spark::settings(&silver.lake),
        silver.lake.base("s3a")
    );
    for interval in &silver.intervals {
        text.push_str(&format!(
            "
(
    spark.read.schema(\"\"\"
        {types},
        epoch string, lake_interval string, lake_topic string, lake_symbol string
    \"\"\")
    .option(\"basePath\", silver).parquet(f\"{{silver}}/{folders}\").drop(\"lake_interval\").createOrReplaceTempView(\"bars_{interval}\")
)
",
            types = lines(columns(sql_type, ""), "        "),
            folders = silver.folders(interval),
        ));
    }
    text + &spark::statements(&derived(silver, &DIALECT))
}

pub(super) fn polars(silver: &Silver) -> String {
    let mut text = format!(
        "import polars as pl\n\nSILVER = \"{}\"\n{}",
        silver.lake.base("s3"),
        polars::storage(&silver.lake)
    );
    for interval in &silver.intervals {
        text.push_str(&format!(
            "
bars_{interval} = pl.scan_parquet(
    f\"{{SILVER}}/{files}\",
    hive_schema={{\"epoch\": pl.String, \"lake_interval\": pl.String, \"lake_topic\": pl.String, \"lake_symbol\": pl.String}},
    storage_options=STORAGE,
).drop(\"lake_interval\")
",
            files = silver.files(interval),
        ));
    }
    if silver.has("1m") {
        text.push_str("bars_late = bars_1m.filter(pl.col(\"late\") > 0)\n");
    }
    text
}

pub(super) fn clickhouse(silver: &Silver) -> String {
    const DIALECT: Dialect = Dialect {
        temporary: "",
        zero: "cast(0 as Decimal(38, 18))",
        double: |value| format!("toFloat64({value})"),
        minutes_between: "nullIf(dateDiff('minute', start_time, next_time), 0)",
        filled_start: "addMinutes(start_time, gap)",
        filled_end: "addMinutes(end_time, gap)",
        each_gap: "array join range(0, toUInt64(if(minutes < 1, 1, minutes))) as gap",
        utc_day: "toDateTime64(toStartOfDay(start_time, 'UTC'), 6, 'UTC')",
        window: "cast(tuple(day_start, addHours(day_start, 24)), 'Tuple(start DateTime64(6, \\'UTC\\'), end DateTime64(6, \\'UTC\\'))')",
        window_name: "`window`",
        arg_min: "argMin",
        arg_max: "argMax",
        // The other one loses digits of prices that hardly move.
        deviation: "stddevPopStable",
    };
    let mut text = String::new();
    for interval in &silver.intervals {
        let types = columns(clickhouse_type, "`").join(", ");
        text.push_str(&format!(
            "create or replace view bars_{interval} as
select {names}, epoch, lake_topic, lake_symbol
from {table}
    '{types}, epoch String, lake_topic String, lake_symbol String')
settings use_hive_partitioning = 1;

",
            names = names(),
            table = clickhouse::table_of(&silver.lake, &silver.files(interval), "Parquet"),
            types = types.replace('\'', "\\'"),
        ));
    }
    text + &derived(silver, &DIALECT)
}

fn clickhouse_type(column: &Column) -> &'static str {
    match (column.holds, column.is_required) {
        (ColumnType::Text, true) => "String",
        (ColumnType::Text, false) => "Nullable(String)",
        (ColumnType::Decimal, true) => "Decimal(38, 18)",
        (ColumnType::Decimal, false) => "Nullable(Decimal(38, 18))",
        (ColumnType::Ratio, true) => "Float64",
        (ColumnType::Ratio, false) => "Nullable(Float64)",
        (ColumnType::Count, true) => "Int64",
        (ColumnType::Count, false) => "Nullable(Int64)",
        (ColumnType::Time, true) => "DateTime64(6, 'UTC')",
        (ColumnType::Time, false) => "Nullable(DateTime64(6, 'UTC'))",
        (ColumnType::Date, true) => "Date32",
        (ColumnType::Date, false) => "Nullable(Date32)",
        (ColumnType::Flag, true) => "Bool",
        (ColumnType::Flag, false) => "Nullable(Bool)",
    }
}

pub(super) fn athena(silver: &Silver) -> Result<String, SqlError> {
    const DIALECT: Dialect = Dialect {
        temporary: "",
        zero: "0",
        double: |value| format!("cast({value} as double)"),
        minutes_between: "date_diff('minute', start_time, next_time)",
        filled_start: "date_add('minute', gap, start_time)",
        filled_end: "date_add('minute', gap, end_time)",
        each_gap: "cross join unnest(sequence(0, minutes - 1)) as gaps (gap)",
        utc_day: "date_trunc('day', start_time)",
        window: "cast(row(day_start, date_add('hour', 24, day_start)) as row(\"start\" timestamp, \"end\" timestamp))",
        window_name: "\"window\"",
        arg_min: "min_by",
        arg_max: "max_by",
        deviation: "stddev_pop",
    };
    let Place::S3 { endpoint: None, .. } = &silver.lake.place else {
        return Err(SqlError::OnlyOnS3);
    };
    let base = silver.lake.base("s3");
    let epoch = silver.lake.epoch.as_deref().unwrap_or("1");
    let topics = market::columns::TOPICS.map(|(topic, _)| topic).join(",");
    let mut text = String::new();
    for interval in &silver.intervals {
        text.push_str(&format!(
            "create external table bars_{interval} (
    {types}
)
partitioned by (epoch string, lake_topic string, lake_symbol string)
stored as parquet
location '{base}/'
tblproperties (
    'projection.enabled' = 'true',
    'projection.epoch.type' = 'enum',
    'projection.epoch.values' = '{epoch}',
    'projection.lake_topic.type' = 'enum',
    'projection.lake_topic.values' = '{topics}',
    'projection.lake_symbol.type' = 'injected',
    'storage.location.template' = '{base}/epoch=${{epoch}}/lake_interval={interval}/lake_topic=${{lake_topic}}/lake_symbol=${{lake_symbol}}/'
);

",
            types = lines(columns(sql_type, "`"), "    "),
        ));
    }
    Ok(text + &derived(silver, &DIALECT))
}
