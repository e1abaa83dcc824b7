use std::iter;

use rust_decimal::Decimal;

use super::{
    Ohlcv, Series,
    average::{difference, exponential, simple, trailing, wilder},
};

/// Moving average convergence/divergence.
pub(super) struct Macd {
    pub(super) line: Series,
    pub(super) signal: Series,
    pub(super) histogram: Series,
}

/// The slow stochastic.
pub(super) struct Stochastic {
    pub(super) k: Series,
    pub(super) d: Series,
}

/// Wilder's relative strength index of 14 changes: the gains' share of all change, in percent.
pub(super) fn rsi(close: &[Option<Decimal>]) -> Series {
    let change = trailing(close, 2, |pair| pair[1]?.checked_sub(pair[0]?));
    let positive = |change: &Option<Decimal>| change.map(|change| change.max(Decimal::ZERO));
    let negative = |change: &Option<Decimal>| change.map(|change| (-change).max(Decimal::ZERO));
    let gain = wilder(&change.iter().map(positive).collect::<Series>(), 14);
    let loss = wilder(&change.iter().map(negative).collect::<Series>(), 14);
    gain.into_iter()
        .zip(loss)
        .map(|(gain, loss)| percent(gain?, gain?.checked_add(loss?)?))
        .collect()
}

/// The MACD 12-26-9. All three lines start where the signal does.
pub(super) fn macd(close: &[Option<Decimal>]) -> Macd {
    let (fast, slow, signal) = (12, 26, 9);
    // The fast average leaves out the first closes, so that both averages start at the same bar.
    let late: Series = iter::repeat_n(None, slow - fast)
        .chain(close.iter().skip(slow - fast).copied())
        .collect();
    let line = difference(&exponential(&late, fast), &exponential(close, slow));
    let signal = exponential(&line, signal);
    Macd {
        histogram: difference(&line, &signal),
        line: where_known(&line, &signal),
        signal,
    }
}

/// The slow stochastic 14-3-3. Both lines start where %D does.
pub(super) fn stochastic(bars: &[Ohlcv]) -> Stochastic {
    let fast = trailing(bars, 14, |bars| {
        let low = bars.iter().map(|bar| bar.low).min()?;
        let high = bars.iter().map(|bar| bar.high).max()?;
        percent(bars.last()?.close.checked_sub(low)?, high.checked_sub(low)?)
    });
    let k = simple(&fast, 3);
    let d = simple(&k, 3);
    Stochastic {
        k: where_known(&k, &d),
        d,
    }
}

/// Unknown if the whole is 0.
fn percent(part: Decimal, whole: Decimal) -> Option<Decimal> {
    part.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole)
}

fn where_known(values: &[Option<Decimal>], other: &[Option<Decimal>]) -> Series {
    let pairs = values.iter().zip(other);
    pairs.map(|(value, other)| other.and(*value)).collect()
}
