//! Klines from the recorded seconds; `local/market-server/data/README.md` tells what they leave out.

use std::{iter, time::Duration};

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::{
    asked::{AskedKlines, Refused},
    fixed,
};
use crate::{crypto::Second, recording::Recording};

/// What was traded within an interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kline {
    /// In milliseconds since the epoch, as [`Kline::close_time`] is.
    open_time: i64,
    close_time: i64,
    open: Decimal,
    high: Decimal,
    low: Decimal,
    close: Decimal,
    volume: Decimal,
    quote_volume: Decimal,
    trades: u64,
}

impl Kline {
    /// The klines asked for, as they stand when so much recorded time has been played; the last may be unfinished.
    pub(super) fn all(
        recording: &Recording<Second>,
        asked: &AskedKlines,
        played: Duration,
    ) -> Result<Vec<Self>, Refused> {
        let seconds: Vec<_> = recording
            .so_far(&asked.symbol, played)
            .ok_or_else(Refused::symbol)?
            .collect();
        let before = iter::once(None).chain(seconds.iter().copied().map(Some));
        let klines: Vec<_> = before
            .zip(&seconds)
            .map(|(before, second)| Self::second(before, second))
            .collect();
        let span = asked.interval.as_millis() as i64;
        let interval = |kline: &Self| kline.open_time.div_euclid(span);
        let within = |kline: &Self| {
            let (start, end) = (asked.start, asked.end);
            start.is_none_or(|start| start <= kline.open_time)
                && end.is_none_or(|end| kline.open_time <= end)
        };
        let mut klines: Vec<_> = klines
            .chunk_by(|one, next| interval(one) == interval(next))
            .map(|seconds| Self::joined(seconds, span))
            .filter(within)
            .collect();
        // Binance counts from the start where one is given, else back from the end.
        match asked.start {
            Some(_) => klines.truncate(asked.limit),
            None => drop(klines.drain(..klines.len().saturating_sub(asked.limit))),
        }
        Ok(klines)
    }

    /// The second that ends at a row's time. Before the first row nothing was traded.
    fn second(before: Option<&Second>, second: &Second) -> Self {
        let open = before.map_or(second.open, |before| before.last);
        let new_high = before.is_none_or(|before| before.high < second.high);
        let new_low = before.is_none_or(|before| second.low < before.low);
        let (low, high) = (open.min(second.last), open.max(second.last));
        let volume = before.map_or(Decimal::ZERO, |before| before.volume);
        let quote_volume = before.map_or(Decimal::ZERO, |before| before.quote_volume);
        Self {
            open_time: second.time - 1000,
            close_time: second.time - 1,
            open,
            high: if new_high { second.high } else { high },
            low: if new_low { second.low } else { low },
            close: second.last,
            volume: second.volume - volume,
            quote_volume: second.quote_volume - quote_volume,
            trades: second.count - before.map_or(0, |before| before.count),
        }
    }

    /// The interval of a length in milliseconds that the seconds lie in.
    fn joined(seconds: &[Self], span: i64) -> Self {
        let (first, last) = (seconds[0], seconds[seconds.len() - 1]);
        let open_time = first.open_time - first.open_time.rem_euclid(span);
        let fold = |pick: fn(&Self) -> Decimal, join: fn(Decimal, Decimal) -> Decimal| {
            seconds[1..].iter().map(pick).fold(pick(&first), join)
        };
        Self {
            open_time,
            close_time: open_time + span - 1,
            open: first.open,
            high: fold(|kline| kline.high, Decimal::max),
            low: fold(|kline| kline.low, Decimal::min),
            close: last.close,
            volume: fold(|kline| kline.volume, |sum, one| sum + one),
            quote_volume: fold(|kline| kline.quote_volume, |sum, one| sum + one),
            trades: seconds.iter().map(|kline| kline.trades).sum(),
        }
    }
}

/// The twelve items of Binance's array; the last one is unused there.
impl Serialize for Kline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |value| fixed(value, 8);
        let not_recorded = || text(Decimal::ZERO);
        (
            self.open_time,
            text(self.open),
            text(self.high),
            text(self.low),
            text(self.close),
            text(self.volume),
            self.close_time,
            text(self.quote_volume),
            self.trades,
            not_recorded(),
            not_recorded(),
            "0",
        )
            .serialize(serializer)
    }
}
