use std::sync::LazyLock;

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    path::{Path, TRADING, tick},
    session::Session,
    *,
};
use crate::playback::Playback;

fn exchange() -> &'static Exchange {
    static RECORDED: LazyLock<Exchange> = LazyLock::new(|| Exchange::recorded().unwrap());
    &RECORDED
}

fn stock(symbol: &str, millis: u64) -> Vec<Session> {
    let playback = Playback::new(Times::Recorded, 1.0, || Timestamp::UNIX_EPOCH).unwrap();
    let position = playback.position(Duration::from_millis(millis));
    exchange().sessions(symbol, position).unwrap().collect()
}

/// A stock on the clock, so many milliseconds after the epoch.
fn on_the_clock(symbol: &str, speed: f64, millis: i64) -> Sessions {
    let now = Timestamp::from_millisecond(millis).unwrap();
    let playback = Playback::new(Times::Now, speed, move || now).unwrap();
    exchange()
        .sessions(symbol, playback.position(Duration::ZERO))
        .unwrap()
}

fn reference(reference: i64) -> Session {
    let mut session = stock("FPT", 0)[0];
    session.reference = reference;
    session
}

#[test]
fn the_band_is_rounded_inward_to_the_tick_as_recorded_at_the_exchange() {
    assert_eq!(reference(76_000).band(), (70_700, 81_300));
    assert_eq!(reference(32_250).band(), (30_000, 34_500));
    for (price, step) in [(9_990, 10), (10_000, 50), (49_950, 50), (50_000, 100)] {
        assert_eq!(tick(price), step);
    }
}

#[test]
fn the_days_compiled_in_are_the_derived_ones_and_172_of_them_are_played() {
    let exchange = exchange();
    assert_eq!(
        exchange.symbols().join(","),
        "ACB,BID,FPT,GAS,HPG,MWG,SSI,STB,VCB,VNM"
    );
    assert_eq!((exchange.days.times(), exchange.first), (420, 248));
}

#[test]
fn a_day_that_is_over_is_its_recorded_bar_and_the_sum_of_its_minutes() {
    let exchange = exchange();
    for symbol in exchange.symbols() {
        for day in exchange.days.column(symbol).unwrap() {
            let session = Session::finished(*day);
            assert_eq!(session.so_far(), Some(*day));
            let minutes: Vec<_> = session.minutes().collect();
            assert_eq!(minutes.len(), 225);
            assert_eq!((minutes[0].open, minutes[224].close), (day.open, day.close));
            assert_eq!(
                minutes.iter().map(|minute| minute.high).max(),
                Some(day.high)
            );
            assert_eq!(minutes.iter().map(|minute| minute.low).min(), Some(day.low));
            assert_eq!(
                minutes.iter().map(|minute| minute.volume).sum::<i64>(),
                day.volume
            );
            assert_eq!(
                minutes.iter().map(|minute| minute.value).sum::<i64>(),
                day.value
            );
        }
    }
}

proptest! {
    #[test]
    fn at_any_time_the_day_so_far_is_on_the_tick_within_the_recorded_day_and_its_minutes_add_up_to_it(
        millis in 0..100_000_000_u64,
        symbol in prop::sample::select(vec!["ACB", "FPT", "MWG", "STB", "VCB"]),
    ) {
        let stock = stock(symbol, millis);
        let session = stock[0];
        let Some(day) = session.so_far() else {
            prop_assert!(session.is_auction());
            prop_assert_eq!(session.minutes().count(), 0);
            return Ok(());
        };
        prop_assert_eq!(day.close % tick(day.close), 0);
        prop_assert!(day.low <= day.close && day.close <= day.high);
        let over = exchange().days.column(symbol).unwrap().find(|bar| bar.time == day.time).unwrap();
        prop_assert!(over.low <= day.low && day.high <= over.high);
        prop_assert!(day.volume <= over.volume && day.value <= over.value);
        let minutes: Vec<_> = session.minutes().collect();
        prop_assert_eq!(minutes.iter().map(|minute| minute.volume).sum::<i64>(), day.volume);
        prop_assert_eq!(minutes.iter().map(|minute| minute.value).sum::<i64>(), day.value);
        prop_assert_eq!(minutes.iter().map(|minute| minute.high).max(), Some(day.high));
        prop_assert_eq!(minutes.iter().map(|minute| minute.low).min(), Some(day.low));
        prop_assert!(minutes.windows(2).all(|pair| pair[0].close == pair[1].open && pair[0].time < pair[1].time));
        prop_assert!(minutes[minutes.len() - 1].time * 1000 <= session.time());
        prop_assert!(stock[stock.len() - 1].so_far().unwrap().time + 365 * SECONDS_A_DAY <= day.time);
    }

    #[test]
    fn what_is_later_in_a_day_has_traded_no_less(millis in 0..60_000_u64, later in 0..1_000_u64) {
        let at = |millis| stock("HPG", millis)[0];
        let (before, after) = (at(millis), at((millis + later).min(59_999)));
        let traded = |session: &Session| session.so_far().map_or((0, 0), |day| (day.volume, day.value));
        prop_assert!(before.time() <= after.time());
        prop_assert!(traded(&before) <= traded(&after));
    }

    #[test]
    fn a_range_of_a_path_has_every_price_in_it_and_no_other(
        passes in 1..6_i64,
        from in 0..900_i64,
        length in 0..900_i64,
        day in 0..420_usize,
    ) {
        let day = *exchange().days.column("FPT").unwrap().nth(day).unwrap();
        // A part of 900 is long enough for a price of each line to fall on its end.
        let path = Path { day, length: TRADING, passes };
        let at = |part: i64| part * TRADING / 900;
        let (from, to) = (from, (from + length).min(900));
        let (low, high) = path.range(at(from), at(to));
        for part in from..=to {
            prop_assert!((low..=high).contains(&path.price(at(part))));
        }
        prop_assert!(day.low <= low && high <= day.high);
        if to - from >= 900 / passes {
            prop_assert_eq!((low, high), (day.low, day.high));
        }
    }

    #[test]
    fn on_the_clock_a_trading_date_never_trades_less_and_keeps_its_open_reference_low_and_high(
        millis in 1_700_000_000_000..1_900_000_000_000_i64,
        later in 0..600_000_i64,
        speed in 0.01..100.0_f64,
        symbol in prop::sample::select(vec!["ACB", "FPT", "MWG", "STB", "VCB"]),
    ) {
        let at = |millis| on_the_clock(symbol, speed, millis).next().unwrap();
        let (before, after) = (at(millis), at(millis + later));
        prop_assert_eq!((before.time(), after.time()), (millis, millis + later));
        let (Some(one), Some(next)) = (before.so_far(), after.so_far()) else {
            return Ok(());
        };
        prop_assert!(one.low <= one.close && one.close <= one.high);
        prop_assert!(one.time <= next.time);
        if one.time == next.time {
            prop_assert_eq!((before.reference, one.open), (after.reference, next.open));
            prop_assert!(one.volume <= next.volume && one.value <= next.value);
            prop_assert!(next.low <= one.low && one.high <= next.high);
        }
    }

    #[test]
    fn on_the_clock_the_minutes_add_up_to_the_day_and_end_with_now(
        millis in 1_700_000_000_000..1_900_000_000_000_i64,
        speed in 0.01..100.0_f64,
    ) {
        let session = on_the_clock("VCB", speed, millis).next().unwrap();
        let Some(day) = session.so_far() else {
            return Ok(());
        };
        let minutes: Vec<_> = session.minutes().collect();
        let sum = |pick: fn(&Candle) -> i64| minutes.iter().map(pick).sum::<i64>();
        prop_assert_eq!((sum(|minute| minute.volume), sum(|minute| minute.value)), (day.volume, day.value));
        prop_assert_eq!(minutes.iter().map(|minute| minute.high).max(), Some(day.high));
        prop_assert_eq!(minutes.iter().map(|minute| minute.low).min(), Some(day.low));
        prop_assert!(minutes.windows(2).all(|pair| pair[0].close == pair[1].open && pair[0].time + 60 == pair[1].time));
        let last = minutes[minutes.len() - 1];
        prop_assert_eq!(last.close, day.close);
        prop_assert!(last.time * 1000 < millis && millis <= (last.time + 60) * 1000);
    }
}

#[test]
fn on_the_clock_every_trading_day_of_the_calendar_has_a_recorded_bar_and_the_next_one_the_next() {
    // A Saturday, whose trading date is the Friday.
    let saturday: Timestamp = "2026-11-28T15:00:00Z".parse().unwrap();
    let days = |days: i64, symbol| {
        let millis = saturday.as_millisecond() + days * 86_400_000;
        let mut days: Vec<_> = super::days(on_the_clock(symbol, 1.0, millis)).collect();
        days.reverse();
        days
    };
    let all = days(0, "VCB");
    assert_eq!(all.len(), 246);
    let dates = all.iter().map(|day| {
        let time = Timestamp::from_second(day.time).unwrap();
        TimeZone::UTC.to_datetime(time).date()
    });
    assert_eq!(dates.clone().next_back().unwrap().to_string(), "2026-11-27");
    assert!(
        dates
            .clone()
            .all(|date| market::Calendar::Hose.is_trading_day(date))
    );
    // The Tuesday before was a holiday.
    let newest: Vec<_> = dates.rev().take(5).map(Date::day).collect();
    assert_eq!(newest, [27, 26, 25, 23, 20]);
    let recorded: Vec<_> = exchange().days.column("VCB").unwrap().copied().collect();
    let bar = |day: &Candle| {
        (
            day.open, day.high, day.low, day.close, day.volume, day.value,
        )
    };
    let first = recorded
        .iter()
        .position(|day| bar(day) == bar(&all[0]))
        .unwrap();
    let cycle = recorded.iter().cycle().skip(first);
    let over = &all[..all.len() - 1];
    assert!(over.iter().map(bar).eq(cycle.take(over.len()).map(bar)));
    // Two weeks later it is the same bars, but for the days that have left and come.
    let later = days(14, "VCB");
    assert!(
        later
            .windows(over.len() - 10)
            .any(|days| days == &over[10..])
    );
}
