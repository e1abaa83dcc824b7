//! Klines from the recorded seconds; `local/market-server/data/README.md` tells what they leave out.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::{
    asked::{AskedKlines, Refused},
    fixed,
};
use crate::{
    crypto::Second,
    playback::{Position, Times},
    recording::Recording,
};

/// On the clock, the market is as if it had been open for so long: a year, in milliseconds.
const HISTORY: i64 = 365 * 86_400_000;

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
    /// The klines asked for, as they stand now; the last may be unfinished. A row's trades came in the second before its
    /// time.
    pub(super) fn all(
        recording: &Recording<Second>,
        asked: &AskedKlines,
        position: Position,
    ) -> Result<Vec<Self>, Refused> {
        let rows = recording
            .column(&asked.symbol)
            .ok_or_else(Refused::symbol)?;
        let rounds = Rounds(rows.collect());
        let current = recording.beats(position);
        let (first, now) = match position.times {
            Times::Now => {
                let now = position.now.as_millisecond();
                (recording.first_after(now - HISTORY, position), now)
            }
            Times::Recorded => (recording.round(current), recording.time(current, position)),
        };
        let span = asked.interval.as_millis() as i64;
        let interval = |time: i64| (time - 1).div_euclid(span);
        let (earliest, latest) = (interval(recording.time(first, position)), interval(now));
        let from = asked
            .start
            .map(|start| interval(start) + 1)
            .max(Some(earliest));
        let from = from.unwrap_or(earliest);
        let to = asked
            .end
            .map_or(latest, |end| latest.min(end.div_euclid(span)));
        // Binance counts from the start where one is given, else back from the end.
        let limit = asked.limit;
        let (from, to) = match asked.start {
            Some(_) => (from, to.min(from.saturating_add(limit - 1))),
            None => (from.max(to - limit + 1), to),
        };
        let kline = |interval: i64| {
            let open_time = interval * span;
            let begin = recording.first_after(open_time, position).max(first);
            let end = recording.first_after(open_time + span, position);
            let end = end.min(current + 1).max(begin);
            rounds.kline(open_time, span, begin, end)
        };
        Ok((from..=to).map(kline).collect())
    }
}

/// The rows of one pair, round and round.
struct Rounds<'a>(Vec<&'a Second>);

impl Rounds<'_> {
    /// The kline of the beats from `begin` to before `end`. Without any, the last price before it stands still.
    fn kline(&self, open_time: i64, span: i64, begin: u128, end: u128) -> Kline {
        let before = begin.checked_sub(1).map(|beat| self.row(beat));
        let still = before.unwrap_or(self.row(begin)).last;
        // What is longer than a round has the round's high and low.
        let tail = begin.max(end.saturating_sub(self.0.len() as u128));
        let ranges = (tail..end).map(|beat| self.range(beat));
        let range =
            ranges.reduce(|(low, high), (lower, higher)| (low.min(lower), high.max(higher)));
        let (low, high) = range.unwrap_or((still, still));
        let ((volume, quote_volume, trades), close) = match end.checked_sub(1) {
            Some(last) if begin < end => (self.traded(begin, last), self.row(last).last),
            _ => ((Decimal::ZERO, Decimal::ZERO, 0), still),
        };
        Kline {
            open_time,
            close_time: open_time + span - 1,
            open: if begin < end { self.open(begin) } else { still },
            high,
            low,
            close,
            volume,
            quote_volume,
            trades,
        }
    }

    /// Volume, quote volume and trades from one beat to another.
    fn traded(&self, begin: u128, last: u128) -> (Decimal, Decimal, u64) {
        let length = self.0.len() as u128;
        let totals = |row: &Second| (row.volume, row.quote_volume, row.count);
        let zero = (Decimal::ZERO, Decimal::ZERO, 0);
        let (from, rounds_before) = match begin.checked_sub(1) {
            Some(before) => (totals(self.row(before)), before / length),
            None => (zero, 0),
        };
        // Fewer than there are nanoseconds in a day.
        let rounds = (last / length - rounds_before) as u64;
        let (to, round) = (totals(self.row(last)), totals(self.row(length - 1)));
        let times = Decimal::from(rounds);
        (
            times * round.0 + to.0 - from.0,
            times * round.1 + to.1 - from.1,
            rounds * round.2 + to.2 - from.2,
        )
    }

    /// A second opens at the last trade before it, and a round at its first.
    fn open(&self, beat: u128) -> Decimal {
        match self.before(beat) {
            Some(before) => before.last,
            None => self.row(beat).open,
        }
    }

    /// The low and high of a second.
    fn range(&self, beat: u128) -> (Decimal, Decimal) {
        let (second, open, before) = (self.row(beat), self.open(beat), self.before(beat));
        let new_low = before.is_none_or(|before| second.low < before.low);
        let new_high = before.is_none_or(|before| before.high < second.high);
        let (low, high) = (open.min(second.last), open.max(second.last));
        (
            if new_low { second.low } else { low },
            if new_high { second.high } else { high },
        )
    }

    fn row(&self, beat: u128) -> &Second {
        self.0[(beat % self.0.len() as u128) as usize]
    }

    /// The row before a beat in the same round.
    fn before(&self, beat: u128) -> Option<&Second> {
        let in_round = beat % self.0.len() as u128;
        in_round.checked_sub(1).map(|before| self.row(before))
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
