use rust_decimal::Decimal;

use super::{
    Ohlcv, Series,
    average::{difference, mean, simple, trailing, wilder},
};

/// Bollinger bands.
pub(super) struct Bands {
    pub(super) upper: Series,
    pub(super) middle: Series,
    pub(super) lower: Series,
}

/// Bollinger bands of 20 closes and 2 standard deviations.
pub(super) fn bollinger(close: &[Option<Decimal>]) -> Bands {
    let middle = simple(close, 20);
    let width = trailing(close, 20, |window| {
        deviation(window)?.checked_mul(Decimal::TWO)
    });
    let upper = middle
        .iter()
        .zip(&width)
        .map(|(middle, width)| (*middle)?.checked_add((*width)?))
        .collect();
    Bands {
        upper,
        lower: difference(&middle, &width),
        middle,
    }
}

/// Wilder's average true range of 14 bars.
pub(super) fn atr(bars: &[Ohlcv]) -> Series {
    let true_range = trailing(bars, 2, |pair| {
        let (previous, bar) = (pair[0].close, pair[1]);
        bar.high.max(previous).checked_sub(bar.low.min(previous))
    });
    wilder(&true_range, 14)
}

/// The population standard deviation.
fn deviation(values: &[Option<Decimal>]) -> Option<Decimal> {
    let mean = mean(values)?;
    let squares = values.iter().map(|value| {
        let distance = (*value)?.checked_sub(mean)?;
        distance.checked_mul(distance)
    });
    square_root(self::mean(&squares.collect::<Series>())?)
}

/// To 18 digits or more, by integers: `MathematicalOps::sqrt` panics if it does not converge.
fn square_root(value: Decimal) -> Option<Decimal> {
    let mut mantissa = u128::try_from(value.mantissa()).ok()?;
    let mut scale = value.scale();
    if scale % 2 == 1 {
        mantissa *= 10;
        scale += 1;
    }
    while scale < 2 * Decimal::MAX_SCALE
        && let Some(longer) = mantissa.checked_mul(100)
    {
        mantissa = longer;
        scale += 2;
    }
    let root = i128::try_from(mantissa.isqrt()).ok()?;
    Decimal::try_from_i128_with_scale(root, scale / 2).ok()
}
