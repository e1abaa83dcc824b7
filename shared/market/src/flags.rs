use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{Digits, Observation, Said, Session, TradingTime};

/// How far a provider's clock may be ahead of ours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(5);

/// The age from which a price is stale while its market is open.
const STALE: SignedDuration = SignedDuration::from_mins(5);

/// Something odd about an observation. A flag informs; it never drops anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// The price is 0.
    ZeroPrice,
    /// The high is below the low.
    HighBelowLow,
    /// The price is below the low or above the high.
    PriceOutOfRange,
    /// The price is outside the day's band of allowed prices.
    PriceOutOfBand,
    /// The best bid is above the best ask.
    Crossed,
    /// Nothing was traded today: the price is the reference price.
    NotTraded,
    /// Nothing was traded in the last 24 hours: the price is that of an older trade.
    #[serde(rename = "not-traded-24h")]
    NotTraded24h,
    /// A number that belongs there is missing, or something else stood in its place: it is null.
    Incomplete,
    /// The price was made more than 5 seconds after it was fetched.
    FutureTime,
    /// The price was made more than 5 minutes before it was fetched, and the market is open. Never for daily
    /// bars: a day has no moment of its own.
    Stale,
    /// The very same observation came before.
    Repeated,
    /// The holidays of that year are not known: the session and the trading date may be wrong.
    HolidaysUnknown,
}

/// Everything odd about an observation that was fetched at this trading time, in the order of [`Flag`].
pub fn flags<T: Said>(
    observation: &Observation<T>,
    fetched: Option<&TradingTime>,
    repeated: bool,
) -> Vec<Flag> {
    let prices = observation.said.prices();
    let last = prices.last.map(Digits::value);
    let outside = |(high, low): (_, _)| last.is_some_and(|last| last < low || last > high);
    let range = prices.range.map(|(high, low)| (high.value(), low.value()));
    let band = prices.band.map(|(high, low)| (high.value(), low.value()));
    let crossed = prices
        .bid
        .zip(prices.ask)
        .is_some_and(|(bid, ask)| bid.value() > ask.value() && !ask.value().is_zero());
    let age = observation
        .said
        .event_time()
        .map(|made| observation.fetched_at.duration_since(made));
    let has_moment = observation.said.trading_date().is_none();
    let open = fetched
        .is_some_and(|time| matches!(time.session, Session::Regular | Session::AroundTheClock));
    [
        (last.is_some_and(|last| last.is_zero()), Flag::ZeroPrice),
        (
            range.is_some_and(|(high, low)| high < low),
            Flag::HighBelowLow,
        ),
        (
            range.is_some_and(outside) && !prices.not_traded && !prices.not_traded_24h,
            Flag::PriceOutOfRange,
        ),
        (band.is_some_and(outside), Flag::PriceOutOfBand),
        (crossed, Flag::Crossed),
        (prices.not_traded, Flag::NotTraded),
        (prices.not_traded_24h, Flag::NotTraded24h),
        (prices.incomplete, Flag::Incomplete),
        (age.is_some_and(|age| age < -CLOCK_SKEW), Flag::FutureTime),
        (
            open && has_moment && age.is_some_and(|age| age > STALE),
            Flag::Stale,
        ),
        (repeated, Flag::Repeated),
        (
            fetched.is_some_and(|time| !time.holidays_known),
            Flag::HolidaysUnknown,
        ),
    ]
    .into_iter()
    .filter_map(|(holds, flag)| holds.then_some(flag))
    .collect()
}
