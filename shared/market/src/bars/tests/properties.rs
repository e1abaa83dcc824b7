//! The fold against one that is as plain as can be, and against itself in any order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

/// From an evening to the next but one, over the night in which New York's summer time begins.
const FROM: &str = "2026-03-07T22:00:00Z";

prop_compose! {
    fn any_said()(kind in 0..4, price in -500_i32..100_000, size in 0_i32..4_000) -> Said {
        let unscaled = |number: i32, digits: u32| {
            Amount::from_unscaled(i128::from(number) * 10_i128.pow(18 - digits)).unwrap()
        };
        let (price, size) = (unscaled(price, 2), unscaled(size - size % 500, 3));
        match kind {
            0 => Said::Trade { price, size },
            1 => Said::Bar {
                open: price,
                high: price.checked_add(size).unwrap(),
                low: price.checked_sub(size).unwrap(),
                close: price.checked_add(Amount::from(1)).unwrap(),
                volume: size,
            },
            _ => Said::Quote { price, session_volume: None },
        }
    }
}

prop_compose! {
    fn any_record()(
        second in 0_i64..50 * 3_600,
        busy in 0..4,
        age in prop_oneof![8 => -60_i64..3_601, 1 => 3_600_i64..20_000],
        micros in prop_oneof![Just(0_i64), 0..1_000_000_i64],
        event_id in prop::option::of(0..6_u128),
        partition in 0..3,
        offset in 0..40_i64,
        said in any_said(),
    ) -> Observed {
        // Most of it in ten minutes, or nothing would meet.
        let second = if busy > 0 { second % 600 + 6 * 3_600 } else { second };
        let event_time = time(FROM) + second * 1_000_000 + micros;
        let bar_start = event_time - event_time.rem_euclid(MINUTE);
        let event_time = if matches!(said, Said::Bar { .. }) { bar_start } else { event_time };
        let fetched_at = event_time + age * 1_000_000;
        Observed { event_time, fetched_at, event_id, partition, offset, said, subject: 0 }
    }
}

/// Records of which no two of one partition and offset differ.
fn any_records() -> impl Strategy<Value = Vec<Observed>> {
    prop::collection::vec(any_record(), 0..60).prop_map(|records| {
        let record = |one: Observed| ((one.partition, one.offset), one);
        let by_coordinates: BTreeMap<_, _> = records.into_iter().map(record).collect();
        by_coordinates.into_values().collect()
    })
}

/// What a bar is compared by.
#[derive(Clone, Debug, Default, PartialEq)]
struct Plain {
    prices: Option<[Decimal; 4]>,
    volume: Option<Decimal>,
    quote_volume: Option<Decimal>,
    trades: Option<i64>,
    ticks: i64,
    price_sum: Decimal,
    late: i64,
    first: Option<i64>,
    last: Option<i64>,
    close_event_id: Option<u128>,
}

fn decimal(amount: Amount) -> Decimal {
    amount.to_string().parse().unwrap()
}

impl Plain {
    fn of(bar: &Bar) -> Self {
        let prices = bar
            .prices
            .map(|held| [held.open, held.high, held.low, held.close]);
        Self {
            prices: prices.map(|prices| prices.map(decimal)),
            volume: bar.volume.map(decimal),
            quote_volume: bar.quote_volume.map(decimal),
            trades: bar.trades,
            ticks: bar.ticks,
            price_sum: decimal(bar.price_sum.unwrap()),
            late: bar.late,
            first: bar.first_event_time,
            last: bar.last_event_time,
            close_event_id: bar.close_event_id,
        }
    }

    /// Adds the next one that counts: its four prices, volume, product and whether it is a trade.
    fn add(&mut self, one: &Observed) {
        let (four, volume, product, trades) = match one.said {
            Said::Trade { price, size } => {
                let (price, size) = (decimal(price), decimal(size));
                let trades = i64::from(!size.is_zero());
                ([price; 4], Some(size), Some(price * size), Some(trades))
            }
            Said::Quote { price, .. } => ([decimal(price); 4], None, None, None),
            Said::Bar {
                open,
                high,
                low,
                close,
                volume,
            } => (
                [open, high, low, close].map(decimal),
                Some(decimal(volume)),
                None,
                None,
            ),
        };
        let is_first = self.prices.is_none();
        let [open, high, low, _] = self.prices.unwrap_or(four);
        self.prices = Some([open, high.max(four[1]), low.min(four[2]), four[3]]);
        let sum = |sum: Option<Decimal>, next: Option<Decimal>| match is_first {
            true => next,
            false => Some(sum? + next?),
        };
        self.volume = sum(self.volume, volume);
        self.quote_volume = sum(self.quote_volume, product);
        let count = self.trades.zip(trades).map(|(sum, next)| sum + next);
        self.trades = if is_first { trades } else { count };
        self.close_event_id = one.event_id;
        if !is_bar(one) {
            self.ticks += 1;
            self.price_sum += four[3];
            self.first = self.first.or(Some(one.event_time));
            self.last = Some(one.event_time);
        }
    }
}

fn is_bar(one: &Observed) -> bool {
    matches!(one.said, Said::Bar { .. })
}

fn is_trade(one: &Observed) -> bool {
    matches!(one.said, Said::Trade { .. })
}

fn minute_of(one: &Observed) -> i64 {
    one.event_time - one.event_time.rem_euclid(MINUTE)
}

/// The bars by start, straight from the records, whatever their length.
fn plain(records: &[Observed], start: impl Fn(i64) -> i64) -> BTreeMap<i64, Plain> {
    let precedence = |one: &Observed| (one.fetched_at, one.partition, one.offset);
    let mut observations = BTreeMap::<_, Observed>::new();
    for one in records.iter().filter(|one| !is_bar(one)) {
        let identity = match one.event_id {
            Some(id) => (Some(id), 0, 0),
            None => (None, one.partition, one.offset),
        };
        let kept = observations
            .entry((one.event_time, identity))
            .or_insert(*one);
        if precedence(one) < precedence(kept) {
            *kept = *one;
        }
    }
    let mut bars = BTreeMap::<i64, Plain>::new();
    let mut by_minute = BTreeMap::<i64, Vec<Observed>>::new();
    for one in observations.into_values() {
        if one.fetched_at - one.event_time > HOUR {
            bars.entry(start(minute_of(&one))).or_default().late += 1;
        } else {
            by_minute.entry(minute_of(&one)).or_default().push(one);
        }
    }
    let mut versions = BTreeMap::<i64, Vec<Observed>>::new();
    for one in records.iter().filter(|one| is_bar(one)) {
        versions.entry(minute_of(one)).or_default().push(*one);
    }
    for (minute, mut held) in versions {
        held.sort_by_key(precedence);
        let until = minute + MINUTE + HOUR;
        let on_time = held.iter().rfind(|one| one.fetched_at < until);
        let version = *on_time.unwrap_or(&held[0]);
        by_minute.entry(minute).or_insert_with(|| vec![version]);
    }
    for (minute, mut held) in by_minute {
        if held.iter().any(is_trade) {
            held.retain(is_trade);
        }
        held.sort_by_key(|one| (one.event_time, one.partition, one.offset));
        let bar = bars.entry(start(minute)).or_default();
        for one in &held {
            bar.add(one);
        }
    }
    bars
}

fn by_start(bars: &[Bar]) -> BTreeMap<i64, Plain> {
    let held: BTreeMap<_, _> = bars.iter().map(|bar| (bar.start, Plain::of(bar))).collect();
    assert_eq!(held.len(), bars.len(), "each start once");
    assert!(bars.is_sorted_by_key(|bar| bar.start));
    held
}

proptest! {
    #[test]
    fn bars_of_every_length_are_those_of_a_plain_fold(records in any_records()) {
        for zone in [Zone::Utc, Zone::NewYork, Zone::HoChiMinh] {
            let minutes = folded(records.clone(), zone);
            prop_assert_eq!(by_start(&minutes), plain(&records, |time| time));
            let hours = hours(&minutes);
            prop_assert_eq!(by_start(&hours), plain(&records, |time| time - time.rem_euclid(HOUR)));
            let days = days(&hours);
            let midnight = |time| zone.midnight(zone.date(time));
            prop_assert_eq!(by_start(&days), plain(&records, midnight));
            for bar in [&minutes, &hours, &days].into_iter().flatten() {
                prop_assert_eq!(bar.trading_date, zone.date(bar.start));
                prop_assert!(bar.first_event_time.is_none_or(|time| bar.start <= time));
                prop_assert!(bar.last_event_time.is_none_or(|time| time < bar.end));
            }
        }
    }

    #[test]
    fn hours_that_are_folded_apart_are_those_of_the_whole(records in any_records()) {
        let whole = folded(records.clone(), Zone::NewYork);
        let mut apart = BTreeMap::<i64, Vec<Observed>>::new();
        for one in records {
            apart.entry(one.event_time.div_euclid(HOUR)).or_default().push(one);
        }
        let apart = apart.into_values().flat_map(|hour| folded(hour, Zone::NewYork));
        prop_assert_eq!(apart.collect::<Vec<_>>(), whole);
    }

    #[test]
    fn lines_in_any_order_and_number_give_the_same_bars(
        records in any_records().prop_map(|records| records.iter().map(line).collect::<Vec<_>>()),
        seed in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        order: u64,
    ) {
        let bars = |lines: &[String]| {
            let (reader, mut held, outcomes) = read("any", lines);
            assert!(outcomes.iter().all(|outcome| outcome == "read"), "{outcomes:?}");
            let minutes = minutes(&mut held.observed, reader.subjects(), &Rules::default());
            let hours = hours(&minutes);
            let days = days(&hours);
            (minutes, hours, days)
        };
        let once = bars(&records);
        let mut again = records.clone();
        if !records.is_empty() {
            again.extend(seed.iter().map(|at| at.get(&records).clone()));
        }
        let place = |line: &String| {
            use std::hash::{DefaultHasher, Hash, Hasher};
            let mut hasher = DefaultHasher::new();
            (order, line).hash(&mut hasher);
            hasher.finish()
        };
        again.sort_by_key(place);
        prop_assert_eq!(bars(&again), once);
    }

    #[test]
    fn a_running_total_gives_what_two_bars_of_a_date_differ_by(
        totals in prop::collection::vec((0_i64..40 * 60, 0_u32..1_000), 0..40),
    ) {
        let records = totals.iter().zip(0..).map(|(&(minute, total), offset)| {
            let record = board(FROM, offset, "1", &total.to_string());
            let event_time = record.event_time + minute * MINUTE;
            Observed { event_time, fetched_at: event_time, ..record }
        });
        let records: Vec<_> = records.collect();
        let zone = Zone::HoChiMinh;
        let by_minute: BTreeMap<_, _> = records
            .iter()
            .map(|one| ((one.event_time, one.offset), one))
            .map(|((time, _), one)| (time, one.said))
            .collect();
        let mut expected = Vec::new();
        let mut before = BTreeMap::new();
        for (time, said) in by_minute {
            let Said::Quote { session_volume: Some(total), .. } = said else { panic!() };
            let grown = before.insert(zone.date(time), total).map(|before| decimal(total) - decimal(before));
            expected.push(grown.filter(|grown| *grown >= Decimal::ZERO));
        }
        let mut minutes = folded(records, zone);
        add_session_volumes(&mut minutes);
        let volumes: Vec<_> = minutes.iter().map(|bar| bar.volume.map(decimal)).collect();
        prop_assert_eq!(volumes, expected);
        let of_days: Vec<_> = days(&hours(&minutes)).iter().map(|day| day.volume.map(decimal)).collect();
        prop_assert_eq!(of_days, before.into_values().map(|total| Some(decimal(total))).collect::<Vec<_>>());
    }
}

/// The bronze line of a record, of one of two providers by its partition.
fn line(one: &Observed) -> String {
    let text = |micros| Timestamp::from_microsecond(micros).unwrap().to_string();
    let id = match one.event_id {
        Some(id) => format!(r#""event_id":"{id:032x}","#),
        None => String::new(),
    };
    let (schema, members) = match one.said {
        Said::Trade { price, size } => {
            ("trades-raw/1", format!(r#""price":{price},"size":{size}"#))
        }
        Said::Quote { price, .. } => ("stock-quotes/1", format!(r#""c":{price}"#)),
        Said::Bar {
            open,
            high,
            low,
            close,
            volume,
        } => (
            "stock-intraday/1",
            format!(
                r#""data":[{{"Date":"{}","Open":{open},"High":{high},"Low":{low},"Close":{close},"Volume":{volume}}}]"#,
                text(one.event_time)
            ),
        ),
    };
    let source = ["finnhub", "binance", "vci"][usize::try_from(one.partition).unwrap()];
    let class = if one.offset % 5 == 0 {
        "crypto"
    } else {
        "equity"
    };
    format!(
        r#"{{"symbol":"AAPL",{members},"meta":{{"schema":"{schema}",{id}"source":"{source}","asset_class":"{class}","currency":"USD","event_time":"{}","fetched_at":"{}"}},"_kafka":{{"partition":{},"offset":{}}}}}"#,
        text(one.event_time),
        text(one.fetched_at),
        one.partition,
        one.offset
    )
}
