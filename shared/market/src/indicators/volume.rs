use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::{Ohlcv, Series};

/// The on-balance volume: the volume of rising bars less that of falling ones.
pub(super) fn on_balance(bars: &[Ohlcv]) -> Series {
    let first = bars.first().map(|bar| bar.volume);
    let later = bars
        .windows(2)
        .map(|pair| match pair[1].close.cmp(&pair[0].close) {
            Ordering::Greater => pair[1].volume,
            Ordering::Equal => Decimal::ZERO,
            Ordering::Less => -pair[1].volume,
        });
    let mut total = Some(Decimal::ZERO);
    first
        .into_iter()
        .chain(later)
        .map(|change| {
            total = total?.checked_add(change);
            total
        })
        .collect()
}
