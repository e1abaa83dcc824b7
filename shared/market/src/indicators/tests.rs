use std::collections::HashMap;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::Digits;

/// The fields in the order of the topic, and the first bar each has a value at.
const FIRST_BARS: [(&str, usize); 15] = [
    ("SMA_20", 20),
    ("SMA_50", 50),
    ("EMA_12", 12),
    ("EMA_26", 26),
    ("RSI", 15),
    ("MACD", 34),
    ("MACD_signal", 34),
    ("MACD_hist", 34),
    ("BB_upper", 20),
    ("BB_middle", 20),
    ("BB_lower", 20),
    ("ATR", 15),
    ("STOCH_K", 18),
    ("STOCH_D", 18),
    ("OBV", 1),
];

#[test]
fn every_value_of_real_bars_is_that_of_ta_lib() {
    for fixture in [
        include_str!("fixtures/fpt.csv"),
        include_str!("fixtures/msft.csv"),
    ] {
        let mut lines = fixture.lines().map(|line| line.split(','));
        let names: Vec<_> = lines.next().unwrap().skip(5).collect();
        assert_eq!(names, FIRST_BARS.map(|(name, _)| name));
        let rows: Vec<Vec<_>> = lines.map(Iterator::collect).collect();
        assert_eq!(rows.len(), 300);
        let bars: Vec<_> = rows
            .iter()
            .map(|row| Ohlcv {
                high: decimal(row[1]),
                low: decimal(row[2]),
                close: decimal(row[3]),
                volume: decimal(row[4]),
            })
            .collect();
        for (row, ours) in rows.iter().zip(indicators(&bars)) {
            let theirs = row[5..].iter().map(|text| rounded(text.parse().ok()));
            for ((name, ours), theirs) in names.iter().zip(values(&ours)).zip(theirs) {
                assert_eq!(ours, theirs, "{name} of {}", row[0]);
            }
        }
    }
}

#[test]
fn a_value_is_missing_until_there_are_bars_enough_and_never_after() {
    let rows = indicators(&(0..60).map(|day| bar(day % 7, 1)).collect::<Vec<_>>());
    for (field, (name, first)) in FIRST_BARS.iter().enumerate() {
        for (row, number) in rows.iter().zip(1..) {
            let known = values(row)[field].is_some();
            assert_eq!(known, number >= *first, "{name} at bar {number}");
        }
    }
}

#[test]
fn no_bars_have_no_indicators_and_one_bar_has_its_volume() {
    assert_eq!(indicators(&[]), []);
    let only_obv = Indicators {
        obv: Some(Decimal::from(9)),
        ..Indicators::default()
    };
    assert_eq!(indicators(&[bar(5, 9)]), [only_obv]);
}

#[test]
fn a_price_that_never_moves_has_averages_but_neither_rsi_nor_stochastic() {
    let flat = Ohlcv {
        high: decimal("24.5"),
        low: decimal("24.5"),
        close: decimal("24.5"),
        volume: Decimal::TEN,
    };
    let price = Some(flat.close);
    let zero = Some(Decimal::ZERO);
    let expected = Indicators {
        sma_20: price,
        sma_50: price,
        ema_12: price,
        ema_26: price,
        rsi: None,
        macd: zero,
        macd_signal: zero,
        macd_hist: zero,
        bb_upper: price,
        bb_middle: price,
        bb_lower: price,
        atr: zero,
        stoch_k: None,
        stoch_d: None,
        obv: Some(Decimal::TEN),
    };
    assert_eq!(indicators(&[flat; 60])[59], expected);
}

#[test]
fn the_stochastic_returns_five_bars_after_a_price_moves_again() {
    let mut bars = [bar(5, 1); 40];
    for bar in &mut bars {
        (bar.high, bar.low) = (bar.close, bar.close);
    }
    bars[30].high += Decimal::ONE;
    let rows = indicators(&bars);
    let known: Vec<_> = (0..40).filter(|row| rows[*row].stoch_k.is_some()).collect();
    assert_eq!(known, [34, 35, 36, 37, 38, 39]);
}

#[test]
fn a_price_that_only_rises_has_the_highest_rsi_and_one_that_only_falls_the_lowest() {
    let rising: Vec<_> = (0..20).map(|day| bar(day, 1)).collect();
    let falling: Vec<_> = rising.iter().rev().copied().collect();
    assert_eq!(indicators(&rising)[19].rsi, Some(Decimal::ONE_HUNDRED));
    assert_eq!(indicators(&falling)[19].rsi, Some(Decimal::ZERO));
}

#[test]
fn bands_are_two_population_deviations_from_the_mean() {
    let bars: Vec<_> = (0..20).map(|day| bar(10 + 6 * (day % 2), 1)).collect();
    let bands = &indicators(&bars)[19];
    assert_eq!(bands.bb_upper, Some(Decimal::from(19)));
    assert_eq!(bands.bb_middle, Some(Decimal::from(13)));
    assert_eq!(bands.bb_lower, Some(Decimal::from(7)));
}

#[test]
fn volume_counts_for_a_rise_against_a_fall_and_not_at_all_without_a_change() {
    let bars = [bar(5, 100), bar(6, 20), bar(6, 7), bar(4, 300)];
    let obv: Vec<_> = indicators(&bars).iter().map(|row| row.obv).collect();
    assert_eq!(obv, [100, 120, 120, -180].map(|obv| Some(obv.into())));
}

#[test]
fn a_value_is_rounded_half_away_from_zero_to_four_decimals() {
    for (exact, text) in [
        ("0.00005", "0.0001"),
        ("-0.00005", "-0.0001"),
        ("0.00015", "0.0002"),
        ("0.000149", "0.0001"),
        ("1.50000", "1.5"),
        ("1500", "1500"),
        ("-0.00001", "0"),
    ] {
        let value = rounded(Some(decimal(exact))).unwrap();
        assert_eq!(value.to_string(), text, "{exact}");
    }
}

#[test]
fn a_row_names_its_fields_as_the_topic_does_and_writes_numbers_and_nulls() {
    #[derive(Serialize)]
    struct Row {
        #[serde(rename = "Date")]
        date: &'static str,
        #[serde(flatten)]
        indicators: Indicators<Digits>,
    }
    let row = Row {
        date: "2026-02-13",
        indicators: Indicators {
            sma_20: Some(decimal("101.615")),
            macd: Some(decimal("-0.3742")),
            obv: Some(decimal("79228162514264337593543950335")),
            ..Indicators::default()
        }
        .map(Digits::from),
    };
    assert_eq!(
        serde_json::to_string(&row).unwrap(),
        concat!(
            r#"{"Date":"2026-02-13","SMA_20":101.615,"SMA_50":null,"EMA_12":null,"EMA_26":null,"#,
            r#""RSI":null,"MACD":-0.3742,"MACD_signal":null,"MACD_hist":null,"BB_upper":null,"#,
            r#""BB_middle":null,"BB_lower":null,"ATR":null,"STOCH_K":null,"STOCH_D":null,"#,
            r#""OBV":79228162514264337593543950335}"#
        )
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_numbers_give_a_row_a_bar_of_at_most_four_decimals(bars in vec(any_bar(), 0..70)) {
        let rows = indicators(&bars);
        prop_assert_eq!(rows.len(), bars.len());
        for value in rows.iter().flat_map(values).flatten() {
            prop_assert!(value.scale() <= 4, "{}", value);
        }
    }

    #[test]
    fn a_bar_does_not_depend_on_later_ones(bars in vec(sound_bar(), 1..90), end in 0_usize..90) {
        let end = end.min(bars.len());
        prop_assert_eq!(&indicators(&bars[..end]), &indicators(&bars)[..end]);
    }

    #[test]
    fn indicators_of_sound_bars_keep_to_their_ranges(bars in vec(sound_bar(), 50..70)) {
        let percent = Decimal::ZERO..=Decimal::ONE_HUNDRED;
        for row in indicators(&bars) {
            for value in [row.rsi, row.stoch_k, row.stoch_d].into_iter().flatten() {
                prop_assert!(percent.contains(&value), "{}", value);
            }
            prop_assert!(row.atr >= row.atr.map(|_| Decimal::ZERO));
            prop_assert!(row.bb_lower <= row.bb_middle && row.bb_middle <= row.bb_upper);
            prop_assert_eq!(row.bb_middle, row.sma_20);
        }
    }
}

/// Any decimals at all, in no order: the smallest, the largest, negative.
fn any_bar() -> impl Strategy<Value = Ohlcv> {
    let any_decimal = || {
        prop_oneof![
            Just(Decimal::MAX),
            Just(Decimal::MIN),
            Just(Decimal::ZERO),
            Just(Decimal::new(1, 28)),
            any::<(u32, u32, u32, bool, u8)>().prop_map(|(low, middle, high, negative, scale)| {
                Decimal::from_parts(low, middle, high, negative, u32::from(scale % 29))
            }),
        ]
    };
    let numbers = (any_decimal(), any_decimal(), any_decimal(), any_decimal());
    numbers.prop_map(|(high, low, close, volume)| Ohlcv {
        high,
        low,
        close,
        volume,
    })
}

/// A price in cents, its bar around it, and a whole volume.
fn sound_bar() -> impl Strategy<Value = Ohlcv> {
    let cents = |cents| Decimal::new(cents, 2);
    (1_i64..20_000, 0_i64..500, 0_i64..500, 0_u32..1_000_000).prop_map(
        move |(close, above, below, volume)| Ohlcv {
            high: cents(close + above),
            low: cents(close - below),
            close: cents(close),
            volume: volume.into(),
        },
    )
}

fn bar(close: i64, volume: i64) -> Ohlcv {
    Ohlcv {
        high: (close + 1).into(),
        low: (close - 1).into(),
        close: close.into(),
        volume: volume.into(),
    }
}

/// The values of a row as its JSON has them, in the order of the topic.
fn values(row: &Indicators) -> [Option<Decimal>; 15] {
    let json = serde_json::to_string(&row.clone().map(Digits::from)).unwrap();
    let fields: HashMap<String, Option<Digits>> = serde_json::from_str(&json).unwrap();
    FIRST_BARS.map(|(name, _)| fields[name].as_ref().map(Digits::value))
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}
