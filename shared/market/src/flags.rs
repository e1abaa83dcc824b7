use jiff::SignedDuration;
use serde::Serialize;

use crate::{Observation, Quote};

/// How far a provider's clock may be ahead of ours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(5);

/// Something odd about a quote. A flag informs; it never drops a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// The price is 0.
    ZeroPrice,
    /// The high is below the low.
    HighBelowLow,
    /// The price is below the low or above the high.
    PriceOutOfRange,
    /// The price was made more than 5 seconds after it was fetched.
    FutureTime,
}

/// Everything odd about an observation, in the order of [`Flag`].
pub fn flags(observation: &Observation) -> Vec<Flag> {
    let (price, high, low) = match &observation.quote {
        Quote::Finnhub(quote) => (&quote.current, &quote.high, &quote.low),
        Quote::Binance(ticker) => (&ticker.last_price, &ticker.high_price, &ticker.low_price),
    };
    let (price, high, low) = (price.value(), high.value(), low.value());
    let ahead = observation
        .quote
        .event_time()
        .duration_since(observation.fetched_at);
    [
        (price.is_zero(), Flag::ZeroPrice),
        (high < low, Flag::HighBelowLow),
        (price < low || price > high, Flag::PriceOutOfRange),
        (ahead > CLOCK_SKEW, Flag::FutureTime),
    ]
    .into_iter()
    .filter_map(|(holds, flag)| holds.then_some(flag))
    .collect()
}
