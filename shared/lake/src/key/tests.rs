use proptest::prelude::*;

use super::*;

fn layout(granularity: Granularity) -> Layout {
    Layout::new("bronze", None, granularity, Compression::None)
}

fn place(symbol: &str) -> Place<'_> {
    Place {
        topic: "t",
        symbol,
        time: Timestamp::constant(1_779_480_005, 123_000_000),
        partition: 3,
        offset: 902,
    }
}

#[test]
fn a_symbol_is_one_part_of_the_path_and_never_a_number() {
    let check = |version, symbol: &str, expected: &str| {
        let layout = layout(Granularity::RECORD).in_version(version);
        let key = layout.bronze_key(place(symbol));
        let expected = format!(
            "bronze/{expected}=2026-05-22/20260522T200005.123Z-p003-o0000000000000000902.ndjson"
        );
        assert_eq!(key.as_str(), expected);
        assert!(expected.starts_with(&layout.symbol_root("t", symbol)));
    };
    let two = |symbol, spelled: &str| {
        let expected = format!("lake_topic=t/lake_symbol=_{spelled}/lake_date");
        check(Version::Two, symbol, &expected);
    };
    for symbol in ["AAPL", "BRK.B", "0050", "1E5", "NULL", "..", ""] {
        two(symbol, symbol);
    }
    two("BTC/USDT", "BTC~2FUSDT");
    two("BINANCE:BTCUSDT", "BINANCE~3ABTCUSDT");
    check(Version::One, "BTC/USDT", "t/symbol=BTC%2FUSDT/date");
}

#[test]
fn a_segment_of_a_thousand_offsets_and_an_hour_shares_one_key() {
    let granularity = Granularity::new(3_600_000, 1_000).unwrap();
    let layout = Layout::new("bronze", Some("1"), granularity, Compression::Zstd);
    let expected = "bronze/epoch=1/lake_topic=t/lake_symbol=_A/lake_date=2026-05-22/20260522T200000.000Z-p003-o0000000000000000000.ndjson.zst";
    for (second, offset) in [(1_779_480_000, 0), (1_779_483_599, 999)] {
        let time = Timestamp::constant(second, 999_000_000);
        let place = Place {
            time,
            offset,
            ..place("A")
        };
        assert_eq!(layout.bronze_key(place).as_str(), expected);
    }
}

#[test]
fn names_sort_by_time_then_partition_then_offset() {
    let key = |time_ms, partition, offset| {
        let time = Timestamp::from_millisecond(time_ms).unwrap();
        layout(Granularity::RECORD).bronze_key(Place {
            time,
            partition,
            offset,
            ..place("A")
        })
    };
    let sorted = [
        key(0, 9, 99),
        key(1, 0, 0),
        key(1, 0, i64::MAX),
        key(1, 10, 1),
        key(253_402_207_200_000, 0, 0),
    ];
    assert!(sorted.is_sorted(), "{sorted:#?}");
}

proptest! {
    #[test]
    fn a_number_is_written_as_format_writes_it(number in any::<i64>(), short in 0..2_000_i64, width in 0..=20_usize) {
        for number in [number, short, -short] {
            let mut written = String::new();
            push_number(&mut written, number, width);
            prop_assert_eq!(written, format!("{number:0width$}"));
        }
    }

    #[test]
    fn a_key_is_spelled_as_its_layout_says(
        symbol in "[A-Z]{1,5}", time_ms in -62_135_596_800_000..253_402_207_200_000_i64,
        partition in -1..2_000_i32, offset in 0..i64::MAX,
    ) {
        let time = Timestamp::from_millisecond(time_ms).unwrap();
        let key = layout(Granularity::RECORD).bronze_key(Place { topic: "t", symbol: &symbol, time, partition, offset });
        let expected = format!(
            "bronze/lake_topic=t/lake_symbol=_{symbol}/lake_date={}/{}Z-p{partition:03}-o{offset:019}.ndjson",
            time.strftime("%Y-%m-%d"),
            time.strftime("%Y%m%dT%H%M%S.%3f"),
        );
        prop_assert_eq!(key.as_str(), expected);
    }
}
