//! A recorded day, drawn: along straight lines from its open to its low, its high and its close.

use super::Candle;

/// In milliseconds, as every time on the exchange's clock here.
const MINUTE: i64 = 60_000;
/// The opening auction, 09:00 to 09:15, has no match.
const AUCTION: i64 = 15 * MINUTE;
/// One of the three lines.
const LINE: i64 = 75 * MINUTE;
const TWO_LINES: i64 = 2 * LINE;
/// Continuous trading, 09:15 to 11:30 and 13:00 to 14:30.
const TRADING: i64 = TWO_LINES + LINE;
/// When the break begins, and how long it lasts.
const MORNING: i64 = 150 * MINUTE;
const BREAK: i64 = 90 * MINUTE;
/// From a day's midnight in UTC to 09:00 in Vietnam.
const OPENING: i64 = 120 * MINUTE;
/// What is bid and asked for at each of the three levels, in shares.
const LEVELS: [i64; 3] = [100, 200, 300];

/// A stock's day up to a time in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    day: Candle,
    /// The previous day's close.
    pub(crate) reference: i64,
    /// The time since 09:00, without the break.
    clock: i64,
}

/// A level of the order book: price and shares.
pub(crate) type Level = (i64, i64);

impl Session {
    /// The session when so many milliseconds of a played day's 60,000 have passed.
    pub(super) fn new(day: Candle, reference: i64, passed: i64) -> Self {
        let clock = passed * (AUCTION + TRADING) / 60_000;
        Self {
            day,
            reference,
            clock,
        }
    }

    /// A day that is over.
    pub(super) fn finished(day: Candle) -> Self {
        Self {
            day,
            reference: day.open,
            clock: AUCTION + TRADING,
        }
    }

    /// The time, in milliseconds since the epoch.
    pub(crate) fn time(&self) -> i64 {
        self.at(self.clock)
    }

    /// Whether the opening auction goes on, before the day's first match.
    pub(crate) fn is_auction(&self) -> bool {
        self.clock <= AUCTION
    }

    /// The day's candle as far as it has grown; its close is the last price. Nothing before the first match.
    pub(crate) fn so_far(&self) -> Option<Candle> {
        let traded = self.traded();
        let now = self.price(traded);
        let passed = [(LINE, self.day.low), (TWO_LINES, self.day.high)];
        let turns = passed.iter().filter(|(at, _)| *at <= traded);
        let seen = turns.map(|(_, price)| *price).chain([now]);
        let candle = |(low, high)| Candle {
            low,
            high,
            close: now,
            volume: self.volume(traded),
            value: self.value(traded),
            ..self.day
        };
        let range = seen.fold((self.day.open, self.day.open), |(low, high), price| {
            (price.min(low), price.max(high))
        });
        (!self.is_auction()).then(|| candle(range))
    }

    /// The minutes' candles in order, the last as far as it has grown.
    pub(crate) fn minutes(self) -> impl DoubleEndedIterator<Item = Candle> {
        let traded = self.traded();
        (0..(traded + MINUTE - 1) / MINUTE).map(move |minute| {
            let start = minute * MINUTE;
            let end = traded.min(start + MINUTE);
            let (open, close) = (self.price(start), self.price(end));
            Candle {
                time: self.at(AUCTION + start) / 1000,
                open,
                // The lines turn between minutes.
                high: open.max(close),
                low: open.min(close),
                close,
                volume: self.volume(end) - self.volume(start),
                value: self.value(end) - self.value(start),
            }
        })
    }

    /// Floor and ceiling: 7 % from the reference, rounded inward to the tick.
    pub(crate) fn band(&self) -> (i64, i64) {
        let (low, high) = (self.reference * 93, self.reference * 107);
        let (floor, ceiling) = ((low + 99) / 100, high / 100);
        let (up, down) = (tick(floor), tick(ceiling));
        ((floor + up - 1) / up * up, ceiling / down * down)
    }

    /// The bids below the last price, best first; none before the first match.
    pub(crate) fn bids(&self) -> Vec<Level> {
        self.levels(|price| price - tick(price - 1))
    }

    /// The asks above the last price, best first; none before the first match.
    pub(crate) fn asks(&self) -> Vec<Level> {
        self.levels(|price| price + tick(price))
    }

    fn levels(&self, next: impl Fn(i64) -> i64) -> Vec<Level> {
        let (floor, ceiling) = self.band();
        let Some(candle) = self.so_far() else {
            return Vec::new();
        };
        let mut price = candle.close;
        let levels = LEVELS.iter().map(|volume| {
            price = next(price);
            (price, *volume)
        });
        levels
            .take_while(|(price, _)| (floor..=ceiling).contains(price))
            .collect()
    }

    /// The time of continuous trading that has passed.
    fn traded(&self) -> i64 {
        (self.clock - AUCTION).max(0)
    }

    /// The time at which the exchange's clock, without the break, stands so; in milliseconds since the epoch.
    fn at(&self, clock: i64) -> i64 {
        let paused = if clock < MORNING { 0 } else { BREAK };
        self.day.time * 1000 + OPENING + clock + paused
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

    fn price(&self, traded: i64) -> i64 {
        let [falling, rising, last] = self.lines();
        let (line, (from, to)) = match traded {
            ..LINE => (0, falling),
            LINE..TWO_LINES => (1, rising),
            TWO_LINES.. => (2, last),
        };
        let exact = from + (to - from) * (traded - line * LINE) / LINE;
        let tick = tick(exact);
        let rounded = (exact + tick / 2) / tick * tick;
        rounded.clamp(from.min(to), from.max(to))
    }

    fn volume(&self, traded: i64) -> i64 {
        self.day.volume * traded / TRADING
    }

    /// The exact price along the lines times the volume spread evenly.
    fn value(&self, traded: i64) -> i64 {
        let volume = i128::from(self.day.volume);
        let value: i128 = (0..)
            .zip(self.lines())
            .map(|(line, (from, to))| {
                let passed = i128::from((traded - line * LINE).clamp(0, LINE));
                let mean = 2 * i128::from(from * LINE) + i128::from(to - from) * passed;
                volume * passed * mean / i128::from(2 * LINE)
            })
            .sum();
        (value / i128::from(TRADING)) as i64
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
