//! A recorded day as it is drawn: along straight lines from its open to its low, its high and its close.

use super::Candle;

/// In milliseconds, as every time of trading here.
pub(super) const MINUTE: i64 = 60_000;
/// One of the three lines.
const LINE: i64 = 75 * MINUTE;
/// All three: what the exchange trades a day.
pub(super) const TRADING: i64 = 3 * LINE;

/// A recorded day, drawn so many times one after the other over a time of trading. Its volume is spread evenly over it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path {
    pub(super) day: Candle,
    /// The time of trading, a multiple of 3 milliseconds.
    pub(super) length: i64,
    /// How often it is drawn, at least once.
    pub(super) passes: i64,
}

impl Path {
    /// The price after a part of the time, on the tick.
    pub(super) fn price(&self, traded: i64) -> i64 {
        let (_, passed) = self.passed(traded);
        let [falling, rising, last] = self.lines();
        let (line, (from, to)) = match passed / LINE {
            0 => (0, falling),
            1 => (1, rising),
            _ => (2, last),
        };
        let exact = from + (to - from) * (passed - line * LINE) / LINE;
        let tick = tick(exact);
        let rounded = (exact + tick / 2) / tick * tick;
        rounded.clamp(from.min(to), from.max(to))
    }

    /// The lowest and the highest price from one part of the time to another.
    pub(super) fn range(&self, from: i64, to: i64) -> (i64, i64) {
        let drawn = |traded: i64| i128::from(traded) * i128::from(self.passes);
        let (begin, end) = (drawn(from), drawn(to));
        let length = i128::from(self.length);
        if end - begin >= length {
            return (self.day.low, self.day.high);
        }
        let Candle {
            open,
            high,
            low,
            close,
            ..
        } = self.day;
        let turns = (begin / length..=end / length).flat_map(|pass| {
            let at = pass * length;
            let turn = |third: i128, price| (at + third * length / 3, price);
            [turn(0, close), turn(0, open), turn(1, low), turn(2, high)]
        });
        let ends_a_pass = end > begin && end % length == 0;
        turns
            .filter(|(at, _)| (begin + 1..end).contains(at))
            .map(|(_, price)| price)
            .chain(ends_a_pass.then_some(close))
            .chain([self.price(to)])
            .fold(
                (self.price(from), self.price(from)),
                |(low, high), price| (price.min(low), price.max(high)),
            )
    }

    /// The shares traded in a part of the time.
    pub(super) fn volume(&self, traded: i64) -> i64 {
        let volume = i128::from(self.day.volume) * i128::from(traded);
        (volume / i128::from(self.length)) as i64
    }

    /// The turnover of a part of the time: the exact price along the lines times the volume spread evenly.
    pub(super) fn value(&self, traded: i64) -> i64 {
        let (passes, passed) = self.passed(traded);
        let area = passes * self.area(TRADING) + self.area(passed);
        let volume = i128::from(self.day.volume);
        let whole = i128::from(2 * LINE) * i128::from(TRADING) * i128::from(self.passes);
        (volume * area / whole) as i64
    }

    /// The price summed over the time since a pass began, times twice a line's.
    fn area(&self, passed: i64) -> i128 {
        let lines = (0..).zip(self.lines());
        let area = lines.map(|(line, (from, to))| {
            let passed = i128::from((passed - line * LINE).clamp(0, LINE));
            passed * (2 * i128::from(from * LINE) + i128::from(to - from) * passed)
        });
        area.sum()
    }

    /// How many passes are over, and how far the next is along the lines. The end is that of the last pass.
    fn passed(&self, traded: i64) -> (i128, i64) {
        let length = i128::from(self.length);
        let drawn = i128::from(traded) * i128::from(self.passes);
        let passes = (drawn / length).min(i128::from(self.passes - 1));
        let passed = (drawn - passes * length) * i128::from(TRADING) / length;
        (passes, passed as i64)
    }

    /// The three lines: from and to.
    fn lines(&self) -> [(i64, i64); 3] {
        let Candle {
            open,
            high,
            low,
            close,
            ..
        } = self.day;
        [(open, low), (low, high), (high, close)]
    }
}

/// The exchange's price step at a price.
pub(crate) fn tick(price: i64) -> i64 {
    match price {
        ..10_000 => 10,
        10_000..50_000 => 50,
        50_000.. => 100,
    }
}
