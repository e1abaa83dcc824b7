use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Amount, Bar, HOUR, Prices};

/// The hour bars of minute bars in order. An hour is complete if its minutes are.
pub fn hours(minutes: &[Bar]) -> Vec<Bar> {
    let minutes: Vec<_> = minutes.iter().collect();
    minutes
        .chunk_by(|a, b| a.start.div_euclid(HOUR) == b.start.div_euclid(HOUR))
        .filter_map(|parts| {
            let first = parts.first()?;
            let start = first.start - first.start.rem_euclid(HOUR);
            Some(compose(parts, start, start + HOUR))
        })
        .collect()
}

/// The daily bars of hour bars in order, by the local day of each one's zone. A day is complete if its hours are.
pub fn days(hours: &[Bar]) -> Vec<Bar> {
    let mut of_date = BTreeMap::<Date, Vec<&Bar>>::new();
    for hour in hours {
        of_date.entry(hour.trading_date).or_default().push(hour);
    }
    of_date
        .into_iter()
        .filter_map(|(date, parts)| {
            let zone = parts.last()?.subject.zone;
            let start = zone.midnight(date);
            let end = date.tomorrow().map_or(i64::MAX, |next| zone.midnight(next));
            let mut day = compose(&parts, start, end);
            day.trading_date = date;
            // The total of the last tick is the whole day's.
            if day.session_volume.is_some() {
                day.volume = day.session_volume;
            }
            Some(day)
        })
        .collect()
}

/// Gives bars in order the volume that follows from the venue's running total: what it grew by since the last bar before
/// that has one and the same trading date. The first of a day has none, nor has one whose total is below the one before.
pub fn add_session_volumes(bars: &mut [Bar]) {
    let mut before = None;
    for bar in bars {
        let Some(total) = bar.session_volume else {
            continue;
        };
        let since = before.filter(|(date, _)| *date == bar.trading_date);
        bar.volume = since.and_then(|(_, before): (_, Amount)| {
            total
                .checked_sub(before)
                .filter(|grown| *grown >= Amount::ZERO)
        });
        before = Some((bar.trading_date, total));
    }
}

fn compose(parts: &[&Bar], start: i64, end: i64) -> Bar {
    let priced = || parts.iter().copied().filter(|part| part.prices.is_some());
    let prices = priced()
        .filter_map(|part| part.prices)
        .reduce(|all, next| Prices {
            open: all.open,
            high: all.high.max(next.high),
            low: all.low.min(next.low),
            close: next.close,
        });
    let last = priced().next_back().or(parts.last().copied());
    let sum = |of: fn(&Bar) -> Option<Amount>| {
        let mut sums = priced().map(of);
        let first = sums.next()?;
        sums.fold(first, |sum, next| sum?.checked_add(next?))
    };
    let mut subject = last.map(|last| last.subject.clone()).unwrap_or_default();
    let same_kind = || {
        parts
            .iter()
            .filter(|part| part.prices.is_some() == prices.is_some())
    };
    for part in same_kind() {
        subject.add_source(&part.subject);
    }
    let trades = priced().map(|part| part.trades);
    Bar {
        start,
        end,
        trading_date: subject.zone.date(start),
        prices,
        volume: sum(|part| part.volume),
        quote_volume: sum(|part| part.quote_volume),
        trades: trades.reduce(|all, next| Some(all? + next?)).flatten(),
        ticks: parts.iter().map(|part| part.ticks).sum(),
        price_sum: parts
            .iter()
            .try_fold(Amount::ZERO, |sum, part| sum.checked_add(part.price_sum?)),
        late: parts.iter().map(|part| part.late).sum(),
        basis: same_kind()
            .map(|part| part.basis)
            .fold(<_>::default(), super::Bases::and),
        subject,
        first_event_time: parts.iter().find_map(|part| part.first_event_time),
        last_event_time: parts.iter().rev().find_map(|part| part.last_event_time),
        session_volume: parts.iter().rev().find_map(|part| part.session_volume),
        close_event_id: last.and_then(|last| last.close_event_id),
        complete: parts.iter().all(|part| part.complete),
    }
}
