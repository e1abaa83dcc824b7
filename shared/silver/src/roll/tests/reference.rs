//! The bars of records by the letter of the rules, as simply as it can be said.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use market::bars::{Amount, Bar, HOUR, Interval, MINUTE, Zone};
use rust_decimal::Decimal;

use super::{Market, Record, Said};
use crate::{
    Period,
    layout::{utc_date, utc_midnight},
};

/// A bar. What is not said is `None`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plain {
    pub(super) start: i64,
    end: i64,
    date: Date,
    prices: Option<[Decimal; 4]>,
    volume: Option<Decimal>,
    quote_volume: Option<Decimal>,
    trades: Option<i64>,
    ticks: i64,
    price_sum: Decimal,
    late: i64,
    basis: BTreeSet<String>,
    first: Option<i64>,
    last: Option<i64>,
    total: Option<Decimal>,
    close_id: Option<u128>,
    pub(super) complete: bool,
}

impl From<&Bar> for Plain {
    fn from(bar: &Bar) -> Self {
        let number = |amount: Amount| amount.to_string().parse().unwrap();
        Self {
            start: bar.start,
            end: bar.end,
            date: bar.trading_date,
            prices: bar
                .prices
                .map(|of| [of.open, of.high, of.low, of.close].map(number)),
            volume: bar.volume.map(number),
            quote_volume: bar.quote_volume.map(number),
            trades: bar.trades,
            ticks: bar.ticks,
            price_sum: number(bar.price_sum.unwrap()),
            late: bar.late,
            basis: bar.basis.names().split(',').map(str::to_owned).collect(),
            first: bar.first_event_time,
            last: bar.last_event_time,
            total: bar.session_volume.map(number),
            close_id: bar.close_event_id,
            complete: bar.complete,
        }
    }
}

const LATENESS: i64 = HOUR;
const AHEAD: i64 = MINUTE;

pub(super) fn bars(
    records: &[Record],
    market: Market,
    bucket: i64,
) -> BTreeMap<Interval, Vec<Plain>> {
    let zone = match market {
        Market::Coins => Zone::Utc,
        Market::NewYork => Zone::NewYork,
        Market::Vietnam => Zone::HoChiMinh,
    };
    let lake = Buckets { records, bucket };
    let mut minutes = of_minutes(records, zone);
    for bar in &mut minutes {
        let hour = bar.start - bar.start.rem_euclid(HOUR);
        bar.complete = lake.is_over(hour);
    }
    let mut hours = composed(&minutes, |bar| bar.start - bar.start.rem_euclid(HOUR));
    for bar in &mut hours {
        bar.start -= bar.start.rem_euclid(HOUR);
        bar.end = bar.start + HOUR;
    }
    let mut days = composed(&hours, |bar| utc_midnight(bar.date));
    for bar in &mut days {
        bar.start = zone.midnight(bar.date);
        bar.end = zone.midnight(bar.date.tomorrow().unwrap());
        bar.volume = bar.total.or(bar.volume);
        let parts = hours.iter().filter(|hour| hour.date == bar.date);
        bar.complete &= lake.is_day_over(parts.map(|hour| hour.start), bar.end);
    }
    grow(&mut minutes, Interval::Minute);
    grow(&mut hours, Interval::Hour);
    let traded: BTreeSet<Date> = days.iter().map(|bar| bar.date).collect();
    let made = provider_days(records, zone);
    days.extend(made.into_iter().filter(|bar| !traded.contains(&bar.date)));
    days.sort_by_key(|bar| bar.start);
    BTreeMap::from([
        (Interval::Minute, minutes),
        (Interval::Hour, hours),
        (Interval::Day, days),
    ])
}

fn hundredths(price: i64) -> Decimal {
    Decimal::new(price, 2)
}

fn nothing(start: i64, zone: Zone) -> Plain {
    Plain {
        start,
        end: start + MINUTE,
        date: zone.date(start),
        prices: None,
        volume: None,
        quote_volume: None,
        trades: None,
        ticks: 0,
        price_sum: Decimal::ZERO,
        late: 0,
        basis: BTreeSet::new(),
        first: None,
        last: None,
        total: None,
        close_id: None,
        complete: false,
    }
}

fn of_minutes(records: &[Record], zone: Zone) -> Vec<Plain> {
    let is_tick = |one: &&Record| {
        matches!(
            one.said,
            Said::Trade { .. } | Said::Quote { .. } | Said::Board { .. }
        )
    };
    let is_ahead = |event: i64, one: &Record| event - one.fetched > AHEAD;
    // Of one observation the first record.
    let mut first: BTreeMap<(i64, Option<u32>, i32, i64), &Record> = BTreeMap::new();
    for one in records.iter().filter(is_tick) {
        if is_ahead(one.event, one) {
            continue;
        }
        let own = match one.id {
            Some(_) => (0, 0),
            None => (one.partition, one.offset),
        };
        let known = first
            .entry((one.event, one.id, own.0, own.1))
            .or_insert(one);
        let rank = |one: &Record| (one.fetched, one.partition, one.offset);
        if rank(one) < rank(known) {
            *known = one;
        }
    }
    let mut of_minute: BTreeMap<i64, (Vec<&Record>, Vec<&Record>)> = BTreeMap::new();
    for one in first.into_values() {
        let minute = one.event - one.event.rem_euclid(MINUTE);
        of_minute.entry(minute).or_default().0.push(one);
    }
    for one in records {
        if let Said::Minutes { .. } = one.said {
            let minute = one.event - one.event.rem_euclid(MINUTE);
            for minute in [minute, minute - MINUTE] {
                if !is_ahead(minute, one) {
                    of_minute.entry(minute).or_default().1.push(one);
                }
            }
        }
    }
    let of_minute = of_minute.into_iter();
    of_minute
        .map(|(start, (ticks, versions))| minute(start, ticks, &versions, zone))
        .collect()
}

fn minute(start: i64, mut ticks: Vec<&Record>, versions: &[&Record], zone: Zone) -> Plain {
    let mut bar = nothing(start, zone);
    ticks.sort_by_key(|one| (one.event, one.partition, one.offset));
    let (late, in_time): (Vec<&Record>, Vec<&Record>) = ticks
        .into_iter()
        .partition(|one| one.fetched - one.event > LATENESS);
    bar.late = i64::try_from(late.len()).unwrap();
    let is_trade = |one: &&Record| matches!(one.said, Said::Trade { .. });
    let has_trades = in_time.iter().any(is_trade);
    for one in in_time
        .iter()
        .copied()
        .filter(|one| is_trade(one) == has_trades)
    {
        let price = match one.said {
            Said::Trade { price, size } => {
                let (price, size) = (hundredths(price), hundredths(size));
                bar.volume = Some(bar.volume.unwrap_or_default() + size);
                bar.quote_volume = Some(bar.quote_volume.unwrap_or_default() + price * size);
                bar.trades = Some(bar.trades.unwrap_or_default() + i64::from(!size.is_zero()));
                price
            }
            Said::Board { price, total } => {
                bar.total = Some(Decimal::from(total));
                hundredths(price)
            }
            Said::Quote { price } => hundredths(price),
            _ => continue,
        };
        bar.add(one, price);
        bar.basis = BTreeSet::from([if has_trades { "trade" } else { "quote" }.to_owned()]);
    }
    if bar.prices.is_some() {
        return bar;
    }
    let rank = |one: &&Record| (one.fetched, one.partition, one.offset);
    let until = start + MINUTE + LATENESS;
    let usual = versions
        .iter()
        .copied()
        .filter(|one| one.fetched < until)
        .max_by_key(rank);
    let version = usual.or(versions.iter().copied().min_by_key(rank));
    if let Some(version) = version
        && let Said::Minutes { price } = version.said
    {
        let (price, high) = (hundredths(price), hundredths(price + 1));
        bar.prices = Some([price, high, price, price]);
        bar.volume = Some(Decimal::from(5));
        bar.basis = BTreeSet::from(["provider".to_owned()]);
        bar.close_id = version.id.map(u128::from);
    } else if let Some(last) = late.last() {
        let basis = if is_trade(last) { "trade" } else { "quote" };
        bar.basis = BTreeSet::from([basis.to_owned()]);
    }
    bar
}

impl Plain {
    fn add(&mut self, one: &Record, price: Decimal) {
        let [open, high, low, _] = self.prices.unwrap_or([price; 4]);
        self.prices = Some([open, high.max(price), low.min(price), price]);
        self.ticks += 1;
        self.price_sum += price;
        self.first = self.first.or(Some(one.event));
        self.last = Some(one.event);
        self.close_id = one.id.map(u128::from);
    }
}

fn composed(parts: &[Plain], of: impl Fn(&Plain) -> i64) -> Vec<Plain> {
    let mut groups: BTreeMap<i64, Vec<&Plain>> = BTreeMap::new();
    for part in parts {
        groups.entry(of(part)).or_default().push(part);
    }
    groups.into_values().map(|parts| compose(&parts)).collect()
}

fn compose(parts: &[&Plain]) -> Plain {
    let priced: Vec<&Plain> = parts
        .iter()
        .copied()
        .filter(|part| part.prices.is_some())
        .collect();
    let all = if priced.is_empty() { parts } else { &priced };
    let sum = |of: fn(&Plain) -> Option<Decimal>| -> Option<Decimal> {
        let all: Option<Vec<Decimal>> = priced.iter().map(|part| of(part)).collect();
        all.filter(|all| !all.is_empty())
            .map(|all| all.into_iter().sum())
    };
    let prices = priced.iter().filter_map(|part| part.prices);
    let prices: Vec<[Decimal; 4]> = prices.collect();
    let trades: Option<Vec<i64>> = priced.iter().map(|part| part.trades).collect();
    let first = parts[0];
    Plain {
        start: first.start,
        end: first.end,
        date: first.date,
        prices: prices.first().map(|[open, ..]| {
            let high = prices.iter().map(|of| of[1]).max().unwrap();
            let low = prices.iter().map(|of| of[2]).min().unwrap();
            [*open, high, low, prices.last().unwrap()[3]]
        }),
        volume: sum(|part| part.volume),
        quote_volume: sum(|part| part.quote_volume),
        trades: trades
            .filter(|all| !all.is_empty())
            .map(|all| all.into_iter().sum()),
        ticks: parts.iter().map(|part| part.ticks).sum(),
        price_sum: parts.iter().map(|part| part.price_sum).sum(),
        late: parts.iter().map(|part| part.late).sum(),
        basis: all.iter().flat_map(|part| part.basis.clone()).collect(),
        first: parts.iter().find_map(|part| part.first),
        last: parts.iter().rev().find_map(|part| part.last),
        total: parts.iter().rev().find_map(|part| part.total),
        close_id: all.last().and_then(|part| part.close_id),
        complete: parts.iter().all(|part| part.complete),
    }
}

/// The volumes that follow from running totals within a file.
fn grow(bars: &mut [Plain], interval: Interval) {
    let mut before: Option<(Date, Period, Decimal)> = None;
    for bar in bars {
        let Some(total) = bar.total else { continue };
        let file = Period::of_time(interval, bar.start);
        let since = before.filter(|(date, of, _)| (*date, *of) == (bar.date, file));
        let grown = since.map(|(_, _, since)| total - since);
        bar.volume = grown.filter(|grown| *grown >= Decimal::ZERO);
        before = Some((bar.date, file, total));
    }
}

fn provider_days(records: &[Record], zone: Zone) -> Vec<Plain> {
    let mut of_date: BTreeMap<Date, Vec<&Record>> = BTreeMap::new();
    for one in records {
        if let Said::Days { .. } = one.said {
            let date = utc_date(one.event);
            for date in [date, date.yesterday().unwrap()] {
                of_date.entry(date).or_default().push(one);
            }
        }
    }
    let day = |(date, records): (Date, Vec<&Record>)| {
        let end = zone.midnight(date.tomorrow().unwrap());
        let rank = |one: &&Record| (one.fetched, one.partition, one.offset);
        let over = records.iter().copied().filter(|one| one.fetched >= end);
        let over = over.min_by_key(rank);
        let one = over.or(records.iter().copied().max_by_key(rank)).unwrap();
        let Said::Days { price } = one.said else {
            unreachable!("days alone");
        };
        let (price, high) = (hundredths(price), hundredths(price + 1));
        Plain {
            end,
            date,
            prices: Some([price, high, price, price]),
            volume: Some(Decimal::from(5)),
            basis: BTreeSet::from(["provider".to_owned()]),
            close_id: one.id.map(u128::from),
            complete: over.is_some(),
            ..nothing(zone.midnight(date), zone)
        }
    };
    of_date.into_iter().map(day).collect()
}

/// Which partitions have come how far.
struct Buckets<'a> {
    records: &'a [Record],
    bucket: i64,
}

impl Buckets<'_> {
    fn bucket(&self, one: &Record) -> i64 {
        one.fetched - one.fetched.rem_euclid(self.bucket)
    }

    fn newest(&self, partition: i32) -> i64 {
        let of_partition = self.records.iter().filter(|one| one.partition == partition);
        of_partition.map(|one| self.bucket(one)).max().unwrap()
    }

    /// The partitions with objects that may hold records of the hour that are on time.
    fn of_hour(&self, hour: i64) -> BTreeSet<i32> {
        let overlaps = |one: &&Record| {
            let start = self.bucket(one);
            start < hour + HOUR + LATENESS && start + self.bucket > hour - AHEAD
        };
        let records = self.records.iter().filter(overlaps);
        records.map(|one| one.partition).collect()
    }

    fn is_over(&self, hour: i64) -> bool {
        let mut partitions = self.of_hour(hour).into_iter();
        partitions.all(|partition| self.newest(partition) >= hour + HOUR + LATENESS)
    }

    fn is_day_over(&self, hours: impl Iterator<Item = i64>, end: i64) -> bool {
        let partitions: BTreeSet<i32> = hours.flat_map(|hour| self.of_hour(hour)).collect();
        if partitions.is_empty() {
            let mut all = self.records.iter();
            return all.any(|one| self.bucket(one) >= end + LATENESS);
        }
        let mut partitions = partitions.into_iter();
        partitions.all(|partition| self.newest(partition) >= end + LATENESS)
    }
}
