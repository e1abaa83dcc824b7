use std::collections::BTreeMap;

use jiff::{Span, civil::Date};
use market::bars::{Amount, Bar, Bases, DAY, HOUR, Interval, Prices, Rules, Subject, Zone};
use parquet::file::{
    metadata::{KeyValue, ParquetMetaDataReader},
    properties::WriterProperties,
    writer::SerializedFileWriter,
};
use proptest::{option, prelude::*};

use super::*;

mod damage;

proptest! {
    #[test]
    fn a_file_that_is_read_is_the_one_that_was_written(file in files(40)) {
        let decoded = decode(&encode(&file));
        prop_assert_eq!(decoded, Ok(file));
    }

    #[test]
    fn the_same_bars_are_the_same_bytes(file in files(4)) {
        prop_assert_eq!(encode(&file), encode(&file.clone()));
    }
}

#[test]
fn a_file_of_no_bars_keeps_its_units() {
    let file = File {
        bars: Vec::new(),
        ..example(1)
    };
    assert!(!file.units.is_empty());
    assert_eq!(decode(&encode(&file)), Ok(file));
}

#[test]
fn a_month_of_minutes_is_read_back() {
    let file = example(44_640);
    assert_eq!(decode(&encode(&file)), Ok(file));
}

#[test]
fn metadata_name_their_units_for_people() {
    let file = example(1);
    let values = key_values(&encode(&file));
    let value = |key: &str| values[&format!("quotelake.{key}")].clone();
    assert_eq!(value("silver"), "1");
    assert_eq!(value("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(
        value("rules"),
        r#"{"lateness_us":3600000000,"ahead_us":60000000}"#
    );
    assert_eq!(
        value("units"),
        r#"{"2026-11-28T14":{"d":"5d41402abc4b2a76","late":["bronze/a,b.jsonl.zst"],"p":[0,7],"n":2},"2026-11-28T15":{"d":"","n":2}}"#
    );
    let days = File {
        interval: Interval::Day,
        units: BTreeMap::from([(NOVEMBER_28, file.units[&(NOVEMBER_28 + 15 * HOUR)].clone())]),
        ..file
    };
    let units = &key_values(&encode(&days))["quotelake.units"];
    assert_eq!(units, r#"{"2026-11-28":{"d":"","n":2}}"#);
}

#[test]
fn columns_are_those_that_the_design_names() {
    let file = encode(&example(3));
    let parquet = ParquetMetaDataReader::new()
        .parse_and_finish(&file)
        .unwrap();
    let mut text = Vec::new();
    parquet::schema::printer::print_schema(&mut text, parquet.file_metadata().schema());
    assert_eq!(
        String::from_utf8(text).unwrap(),
        include_str!("tests/schema.txt")
    );
    let [group] = parquet.row_groups() else {
        panic!("one row group")
    };
    let sorting = group.sorting_columns().unwrap();
    assert_eq!(
        (sorting.len(), sorting[0].column_idx, sorting[0].descending),
        (1, 4, false)
    );
    for chunk in group.columns() {
        assert!(chunk.statistics().is_some(), "{}", chunk.column_path());
    }
}

/// What a file's metadata say.
fn key_values(bytes: &Bytes) -> BTreeMap<String, String> {
    let parquet = ParquetMetaDataReader::new()
        .parse_and_finish(bytes)
        .unwrap();
    let pairs = parquet.file_metadata().key_value_metadata().unwrap();
    let pairs = pairs.iter().cloned();
    pairs
        .map(|KeyValue { key, value }| (key, value.unwrap()))
        .collect()
}

const NOVEMBER_28: i64 = 1_795_824_000_000_000;

/// Minutes of a share from 14:00 on 2026-11-28.
fn example(bars: i64) -> File {
    let start = NOVEMBER_28 + 14 * HOUR;
    let unit = |digest: &str, partitions: &[i32], late: &[&str]| Unit {
        digest: digest.to_owned(),
        partitions: partitions.to_vec(),
        late: late.iter().map(|&key| key.to_owned()).collect(),
        objects: 2,
    };
    File {
        place: "lake_interval=1m/lake_topic=t/lake_symbol=_BRK.B/2026-11.parquet".to_owned(),
        symbol: "BRK.B".to_owned(),
        interval: Interval::Minute,
        rules: Rules::default(),
        bars: (0..bars).map(|index| minute(start, index)).collect(),
        units: BTreeMap::from([
            (
                start,
                unit("5d41402abc4b2a76", &[0, 7], &["bronze/a,b.jsonl.zst"]),
            ),
            (start + HOUR, unit("", &[], &[])),
        ]),
    }
}

fn minute(start: i64, index: i64) -> Bar {
    let price = |cents: i64| {
        Amount::from_unscaled(i128::from(30_000 + index % 997 + cents) * 10_i128.pow(16))
    };
    let prices = price(3).zip(price(9)).zip(price(1).zip(price(4)));
    let start = start + index * market::bars::MINUTE;
    Bar {
        start,
        end: start + market::bars::MINUTE,
        trading_date: Zone::NewYork.date(start),
        prices: prices.map(|((open, high), (low, close))| Prices {
            open,
            high,
            low,
            close,
        }),
        volume: price(17),
        quote_volume: price(index * 31),
        trades: Some(index % 7),
        ticks: 12,
        price_sum: price(123_456),
        late: 0,
        basis: Bases::TRADE,
        subject: Subject {
            canonical_symbol: Some("BRK-B".to_owned()),
            currency: Some("USD".to_owned()),
            mic: Some("XNYS".to_owned()),
            source: Some("finnhub,twelvedata".to_owned()),
            zone: Zone::NewYork,
        },
        first_event_time: Some(start + 1_234),
        last_event_time: Some(start + 59_000_000 - index),
        session_volume: None,
        close_event_id: Some(u128::MAX / 7 * (index.unsigned_abs() as u128 % 7)),
        complete: index % 2 == 0,
    }
}

prop_compose! {
    fn files(most: usize)(
        symbol in texts(),
        interval in intervals(),
        lateness in any::<i64>(),
        ahead in any::<i64>(),
        bars in prop::collection::vec(bars(), 0..most),
        units in prop::collection::btree_map(0_i64..2_932_896, units(), 0..9),
    ) -> File {
        let unit = if interval == Interval::Day { DAY } else { HOUR };
        let units = units.into_iter().map(|(day, value)| (day * DAY + day % 24 * HOUR / unit * unit, value)).collect();
        File { place: "lake_interval=1m/a.parquet".to_owned(), symbol, interval, rules: Rules { lateness, ahead }, bars, units }
    }
}

prop_compose! {
    fn units()(digest in "[0-9a-f]{0,32}", late in prop::collection::vec(texts(), 0..3), partitions in prop::collection::vec(any::<i32>(), 0..3), objects in 0..9_usize) -> Unit {
        Unit { digest, late, partitions, objects }
    }
}

prop_compose! {
    fn bars()(
        (start, end) in any::<(i64, i64)>(),
        day in 0_i32..2_932_896,
        prices in option::of(prices()),
        (volume, quote_volume) in (option::of(amounts()), option::of(amounts())),
        trades in any::<Option<i64>>(),
        (ticks, late) in any::<(i64, i64)>(),
        (price_sum, session_volume) in (option::of(amounts()), option::of(amounts())),
        basis in bases(),
        subject in subjects(),
        (first_event_time, last_event_time) in any::<(Option<i64>, Option<i64>)>(),
        close_event_id in any::<Option<u128>>(),
        complete in any::<bool>(),
    ) -> Bar {
        Bar {
            start, end, trading_date: Date::constant(1970, 1, 1) + Span::new().days(day), prices, volume, quote_volume,
            trades, ticks, price_sum, late, basis, subject, first_event_time, last_event_time, session_volume,
            close_event_id, complete,
        }
    }
}

prop_compose! {
    fn prices()(open in amounts(), high in amounts(), low in amounts(), close in amounts()) -> Prices {
        Prices { open, high, low, close }
    }
}

prop_compose! {
    fn subjects()(
        canonical_symbol in option::of(texts()),
        currency in option::of(texts()),
        mic in option::of(texts()),
        source in option::of(texts()),
        zone in prop_oneof![Just(Zone::Utc), Just(Zone::NewYork), Just(Zone::HoChiMinh)],
    ) -> Subject {
        Subject { canonical_symbol, currency, mic, source, zone }
    }
}

fn intervals() -> impl Strategy<Value = Interval> {
    prop_oneof![
        Just(Interval::Minute),
        Just(Interval::Hour),
        Just(Interval::Day)
    ]
}

fn bases() -> impl Strategy<Value = Bases> {
    prop::collection::vec(
        prop_oneof![
            Just(Bases::TRADE),
            Just(Bases::QUOTE),
            Just(Bases::PROVIDER)
        ],
        0..4,
    )
    .prop_map(|bases| bases.into_iter().fold(Bases::default(), Bases::and))
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z]{1,5}",
        "[a-z]{1,9},[a-z]{1,9}",
        any::<String>(),
        Just(String::new()),
        "x{90}"
    ]
}

/// Any, and often an extreme.
fn amounts() -> impl Strategy<Value = Amount> {
    const MOST: i128 = 10_i128.pow(38) - 1;
    prop_oneof![
        -MOST..=MOST,
        -1_000_000..=1_000_000_i128,
        Just(MOST),
        Just(-MOST),
        Just(0)
    ]
    .prop_filter_map("beyond 38 digits", Amount::from_unscaled)
}
