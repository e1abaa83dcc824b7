use std::collections::BTreeMap;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};
use market::bars::{Interval, Rules};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use serde::{Deserialize, Serialize};

use super::{
    File, FileDamage, SCHEMA, Unit,
    footer::{ROWS, SILVER, ZEROS},
};

/// The program that wrote it, for people.
const VERSION: &str = "quotelake.version";
const PLACE: &str = "quotelake.place";
const SYMBOL: &str = "quotelake.symbol";
const INTERVAL: &str = "quotelake.interval";
const RULES: &str = "quotelake.rules";
const UNITS: &str = "quotelake.units";

#[derive(Serialize, Deserialize)]
struct RulesText {
    lateness_us: i64,
    ahead_us: i64,
}

#[derive(Serialize, Deserialize)]
struct UnitText {
    d: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    late: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    p: Vec<i32>,
    #[serde(default, skip_serializing_if = "is_zero")]
    n: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// All pairs, the schema and the digest last, which is still zeros.
pub(super) fn write(file: &File) -> impl Iterator<Item = KeyValue> {
    let Rules { lateness, ahead } = file.rules;
    let rules = RulesText {
        lateness_us: lateness,
        ahead_us: ahead,
    };
    let units: BTreeMap<String, UnitText> = file
        .units
        .iter()
        .map(|(&time, unit)| {
            let Unit {
                digest: d,
                late,
                partitions: p,
                objects: n,
            } = unit.clone();
            (unit_name(file.interval, time), UnitText { d, late, p, n })
        })
        .collect();
    let pairs = [
        (VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        (PLACE, file.place.clone()),
        (SYMBOL, file.symbol.clone()),
        (INTERVAL, file.interval.name().to_owned()),
        (RULES, serde_json::to_string(&rules).unwrap_or_default()),
        (UNITS, serde_json::to_string(&units).unwrap_or_default()),
        (SILVER, SCHEMA.to_string()),
        (ROWS, ZEROS.to_owned()),
    ];
    pairs
        .into_iter()
        .map(|(key, value)| KeyValue::new(key.to_owned(), value))
}

/// The file without its bars.
pub(super) fn read(parquet: &ParquetMetaData) -> Result<File, FileDamage> {
    let pairs = parquet.file_metadata().key_value_metadata();
    let value = |key: &str| {
        let mut pairs = pairs.into_iter().flatten();
        let value = pairs
            .find(|pair| pair.key == key)
            .and_then(|pair| pair.value.as_deref());
        value.ok_or_else(|| FileDamage::NotSilver(format!("its metadata have no {key}")))
    };
    let interval = value(INTERVAL)?.parse().map_err(|_| unfit(INTERVAL))?;
    let rules: RulesText = serde_json::from_str(value(RULES)?).map_err(|_| unfit(RULES))?;
    Ok(File {
        place: value(PLACE)?.to_owned(),
        symbol: value(SYMBOL)?.to_owned(),
        interval,
        rules: Rules {
            lateness: rules.lateness_us,
            ahead: rules.ahead_us,
        },
        bars: Vec::new(),
        units: read_units(interval, value(UNITS)?).ok_or_else(|| unfit(UNITS))?,
    })
}

fn unfit(key: &str) -> FileDamage {
    FileDamage::NotSilver(format!("its metadata have a {key} that can't be read"))
}

fn read_units(interval: Interval, text: &str) -> Option<BTreeMap<i64, Unit>> {
    let units: BTreeMap<String, UnitText> = serde_json::from_str(text).ok()?;
    let units = units.into_iter().map(|(name, unit)| {
        let unit_of = Unit {
            digest: unit.d,
            late: unit.late,
            partitions: unit.p,
            objects: unit.n,
        };
        Some((unit_time(interval, &name)?, unit_of))
    });
    units.collect()
}

/// An hour, `2026-11-28T14`, or of daily bars a date.
fn unit_name(interval: Interval, time: i64) -> String {
    let time = Timestamp::from_microsecond(time).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = Offset::UTC.to_datetime(time);
    match interval {
        Interval::Minute | Interval::Hour => format!("{}T{:02}", time.date(), time.hour()),
        Interval::Day => time.date().to_string(),
    }
}

fn unit_time(interval: Interval, name: &str) -> Option<i64> {
    let time: DateTime = match interval {
        Interval::Minute | Interval::Hour => {
            let (date, hour) = name.split_once('T')?;
            date.parse::<Date>().ok()?.at(
                hour.parse().ok().filter(|hour| (0..24).contains(hour))?,
                0,
                0,
                0,
            )
        }
        Interval::Day => name.parse::<Date>().ok()?.at(0, 0, 0, 0),
    };
    Some(Offset::UTC.to_timestamp(time).ok()?.as_microsecond())
}
