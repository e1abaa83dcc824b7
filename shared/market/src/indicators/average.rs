use std::{cmp::Ordering, iter};

use rust_decimal::Decimal;

use super::Series;

/// The mean of the last `period` values.
pub(super) fn simple(values: &[Option<Decimal>], period: usize) -> Series {
    trailing(values, period, mean)
}

/// The exponential moving average, of weight 2/(`period` + 1).
pub(super) fn exponential(values: &[Option<Decimal>], period: usize) -> Series {
    smoothed(values, period, Decimal::from(period + 1) / Decimal::TWO)
}

/// Wilder's moving average, of weight 1/`period`.
pub(super) fn wilder(values: &[Option<Decimal>], period: usize) -> Series {
    smoothed(values, period, period.into())
}

/// A statistic of the last `period` items, from the bar on that has as many.
pub(super) fn trailing<T>(
    items: &[T],
    period: usize,
    statistic: impl Fn(&[T]) -> Option<Decimal>,
) -> Series {
    let warm_up = iter::repeat_n(None, items.len().min(period - 1));
    warm_up
        .chain(items.windows(period).map(statistic))
        .collect()
}

/// The mean, if every value is known.
pub(super) fn mean(values: &[Option<Decimal>]) -> Option<Decimal> {
    values
        .iter()
        .try_fold(Decimal::ZERO, |sum, value| sum.checked_add((*value)?))?
        .checked_div(values.len().into())
}

/// What is left of one series less another.
pub(super) fn difference(left: &[Option<Decimal>], right: &[Option<Decimal>]) -> Series {
    let pairs = left.iter().zip(right);
    pairs
        .map(|(left, right)| (*left)?.checked_sub((*right)?))
        .collect()
}

/// Starts at the mean of the first `period` known values, then goes a `divisor`th of the way to each.
fn smoothed(values: &[Option<Decimal>], period: usize, divisor: Decimal) -> Series {
    let unknown = values.iter().take_while(|value| value.is_none()).count();
    let seed = unknown + period - 1;
    let mut average = None;
    let averages = values.iter().enumerate().map(|(bar, value)| {
        average = match bar.cmp(&seed) {
            Ordering::Less => None,
            Ordering::Equal => mean(&values[unknown..=seed]),
            Ordering::Greater => step(average, *value, divisor),
        };
        average
    });
    averages.collect()
}

fn step(average: Option<Decimal>, value: Option<Decimal>, divisor: Decimal) -> Option<Decimal> {
    let average = average?;
    average.checked_add(value?.checked_sub(average)?.checked_div(divisor)?)
}
