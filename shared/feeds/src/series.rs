//! The one rule for bars of every provider: in the order of time, and one a time.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use market::{Bar, Digits};

use crate::BodyError;

/// What a bar is of, a minute or a trading day.
pub(crate) trait Slot: Copy + Ord + fmt::Display {
    /// Whether both are the same minute or day.
    fn is_same(self, other: Self) -> bool;
}

impl Slot for Timestamp {
    fn is_same(self, other: Self) -> bool {
        let minute = |time: Self| time.as_second().div_euclid(60);
        minute(self) == minute(other)
    }
}

impl Slot for Date {
    fn is_same(self, other: Self) -> bool {
        self == other
    }
}

/// The bars in the order of time. Of two that say the same of one minute or day, one is left.
///
/// # Errors
/// [`BodyError::Shape`] if two differ: nobody knows which is right, and both would falsify every indicator after
/// them.
pub(crate) fn series<At: Slot>(mut bars: Vec<Bar<At>>) -> Result<Vec<Bar<At>>, BodyError> {
    bars.sort_by_key(|bar| bar.at);
    let mut series: Vec<Bar<At>> = Vec::with_capacity(bars.len());
    for bar in bars {
        match series.last() {
            Some(last) if last.at.is_same(bar.at) => {
                if !says_the_same(last, &bar) {
                    let at = bar.at;
                    let problem = format!("two bars of {at} differ");
                    return Err(BodyError::Shape(problem));
                }
            }
            _ => series.push(bar),
        }
    }
    Ok(series)
}

/// Whether the values are equal, however their digits are written.
fn says_the_same<At>(one: &Bar<At>, other: &Bar<At>) -> bool {
    let numbers = |bar: &Bar<At>| {
        [&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume].map(Digits::value)
    };
    numbers(one) == numbers(other)
}

#[cfg(test)]
mod tests;
