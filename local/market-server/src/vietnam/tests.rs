use std::sync::LazyLock;

use proptest::prelude::*;

use super::{
    session::{Session, tick},
    *,
};

fn exchange() -> &'static Exchange {
    static RECORDED: LazyLock<Exchange> = LazyLock::new(|| Exchange::recorded().unwrap());
    &RECORDED
}

fn stock(symbol: &str, millis: u64) -> Stock {
    let played = Duration::from_millis(millis);
    exchange().stock(symbol, played).unwrap()
}

fn reference(reference: i64) -> Session {
    let mut session = stock("FPT", 0).session;
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
        let session = stock.session;
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
        prop_assert!(stock.past.first().unwrap().time + 365 * SECONDS_A_DAY <= day.time);
    }

    #[test]
    fn what_is_later_in_a_day_has_traded_no_less(millis in 0..60_000_u64, later in 0..1_000_u64) {
        let at = |millis| stock("HPG", millis).session;
        let (before, after) = (at(millis), at((millis + later).min(59_999)));
        let traded = |session: &Session| session.so_far().map_or((0, 0), |day| (day.volume, day.value));
        prop_assert!(before.time() <= after.time());
        prop_assert!(traded(&before) <= traded(&after));
    }
}
