//! Technical indicators of daily bars, with TA-Lib's definitions where libraries differ:
//! - An exponential or Wilder average is seeded with the simple average of its first period.
//! - The fast average of the MACD is seeded with bars 15 to 26, so that both averages start at bar 26.
//!   `MACD` is therefore not `EMA_12 - EMA_26` at first; the difference shrinks by 11/13 a bar. Talipp
//!   subtracts the two columns, and has a line 8 bars before its signal; here all three start together.
//! - The first bar has no true range, as it has no close before it. Talipp takes its high less its low, so
//!   that its `ATR` starts one bar earlier; the difference shrinks by 13/14 a bar.
//! - The on-balance volume starts at the first bar's volume.
//!
//! One thing is not TA-Lib's: where an indicator would divide 0 by 0, TA-Lib says 0, an extreme, and here
//! it has no value. So it is with `RSI` while the price has never changed, and with the stochastic while
//! the highest high of 14 bars is the lowest low.
//!
//! No crate is used. `kand` 0.2 and `quantedge-ta` 0.21 come closest, but both compute in binary floats
//! and subtract the two columns for the MACD; the formulas are as short as an adapter would be.

mod average;
mod momentum;
mod volatility;
mod volume;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// Decimals of an indicator.
const DECIMALS: u32 = 4;

/// One value a bar; `None` where it is unknown.
type Series = Vec<Option<Decimal>>;

/// One bar without its open, which no indicator here uses. The prices of all bars are in one currency and
/// adjusted alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ohlcv {
    /// The highest price.
    pub high: Decimal,
    /// The lowest price.
    pub low: Decimal,
    /// The last price.
    pub close: Decimal,
    /// Shares traded.
    pub volume: Decimal,
}

/// The indicators at the close of one bar, rounded to 4 decimals, half away from zero.
///
/// Each has a value from a certain bar on, counted from 1. `None`, in JSON `null`, is no value: too few
/// bars so far, nothing to divide by as the price did not move, or beyond what a decimal of 28 digits can
/// hold. In JSON, where values are [`Digits`](crate::Digits), one is a number without trailing zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicators<T = Decimal> {
    /// The simple moving average of 20 closes, from bar 20.
    #[serde(rename = "SMA_20")]
    pub sma_20: Option<T>,
    /// The simple moving average of 50 closes, from bar 50.
    #[serde(rename = "SMA_50")]
    pub sma_50: Option<T>,
    /// The exponential moving average of the close, of weight 2/13, from bar 12.
    #[serde(rename = "EMA_12")]
    pub ema_12: Option<T>,
    /// The exponential moving average of the close, of weight 2/27, from bar 26.
    #[serde(rename = "EMA_26")]
    pub ema_26: Option<T>,
    /// The relative strength index of 14 changes with Wilder's smoothing, 0 to 100, from bar 15.
    #[serde(rename = "RSI")]
    pub rsi: Option<T>,
    /// The MACD of 12 and 26 closes, from bar 34; near `ema_12` less `ema_26`, but its fast average is
    /// seeded with bars 15 to 26.
    #[serde(rename = "MACD")]
    pub macd: Option<T>,
    /// The exponential moving average of the MACD, of weight 2/10, from bar 34.
    #[serde(rename = "MACD_signal")]
    pub macd_signal: Option<T>,
    /// The MACD less its signal, from bar 34.
    #[serde(rename = "MACD_hist")]
    pub macd_hist: Option<T>,
    /// The middle Bollinger band plus 2 population standard deviations, from bar 20.
    #[serde(rename = "BB_upper")]
    pub bb_upper: Option<T>,
    /// The middle Bollinger band, the same as `sma_20`, from bar 20.
    #[serde(rename = "BB_middle")]
    pub bb_middle: Option<T>,
    /// The middle Bollinger band less 2 population standard deviations, from bar 20.
    #[serde(rename = "BB_lower")]
    pub bb_lower: Option<T>,
    /// The average true range of 14 bars with Wilder's smoothing, a price, from bar 15.
    #[serde(rename = "ATR")]
    pub atr: Option<T>,
    /// The slow stochastic's %K, 14-3-3, from bar 18; 0 to 100 if closes are within their bars.
    #[serde(rename = "STOCH_K")]
    pub stoch_k: Option<T>,
    /// The %D to that %K, from bar 18.
    #[serde(rename = "STOCH_D")]
    pub stoch_d: Option<T>,
    /// The on-balance volume, in shares, from bar 1.
    #[serde(rename = "OBV")]
    pub obv: Option<T>,
}

impl<T> Indicators<T> {
    /// The same with every value turned into another.
    pub(crate) fn map<U>(self, turn: impl Fn(T) -> U) -> Indicators<U> {
        Indicators {
            sma_20: self.sma_20.map(&turn),
            sma_50: self.sma_50.map(&turn),
            ema_12: self.ema_12.map(&turn),
            ema_26: self.ema_26.map(&turn),
            rsi: self.rsi.map(&turn),
            macd: self.macd.map(&turn),
            macd_signal: self.macd_signal.map(&turn),
            macd_hist: self.macd_hist.map(&turn),
            bb_upper: self.bb_upper.map(&turn),
            bb_middle: self.bb_middle.map(&turn),
            bb_lower: self.bb_lower.map(&turn),
            atr: self.atr.map(&turn),
            stoch_k: self.stoch_k.map(&turn),
            stoch_d: self.stoch_d.map(&turn),
            obv: self.obv.map(&turn),
        }
    }
}

/// The indicators of every bar, given oldest first, as TA-Lib defines them. A bar's indicators depend on
/// it and the bars before it only.
pub fn indicators(bars: &[Ohlcv]) -> Vec<Indicators> {
    let close: Series = bars.iter().map(|bar| Some(bar.close)).collect();
    let sma_50 = average::simple(&close, 50);
    let ema_12 = average::exponential(&close, 12);
    let ema_26 = average::exponential(&close, 26);
    let rsi = momentum::rsi(&close);
    let macd = momentum::macd(&close);
    let bands = volatility::bollinger(&close);
    let atr = volatility::atr(bars);
    let stochastic = momentum::stochastic(bars);
    let obv = volume::on_balance(bars);
    (0..bars.len())
        .map(|bar| Indicators {
            sma_20: rounded(bands.middle[bar]),
            sma_50: rounded(sma_50[bar]),
            ema_12: rounded(ema_12[bar]),
            ema_26: rounded(ema_26[bar]),
            rsi: rounded(rsi[bar]),
            macd: rounded(macd.line[bar]),
            macd_signal: rounded(macd.signal[bar]),
            macd_hist: rounded(macd.histogram[bar]),
            bb_upper: rounded(bands.upper[bar]),
            bb_middle: rounded(bands.middle[bar]),
            bb_lower: rounded(bands.lower[bar]),
            atr: rounded(atr[bar]),
            stoch_k: rounded(stochastic.k[bar]),
            stoch_d: rounded(stochastic.d[bar]),
            obv: rounded(obv[bar]),
        })
        .collect()
}

fn rounded(value: Option<Decimal>) -> Option<Decimal> {
    let round = |value: Decimal| {
        value
            .round_dp_with_strategy(DECIMALS, RoundingStrategy::MidpointAwayFromZero)
            .normalize()
    };
    value.map(round)
}

#[cfg(test)]
mod tests;
