//! A stock's day up to a time in it: its last price, its minutes and its order book.

use std::ops::Range;

use super::{
    Candle,
    path::{MINUTE, Path, TRADING, tick},
};

/// The opening auction, 09:00 to 09:15, has no match.
const AUCTION: i64 = 15 * MINUTE;
/// When the break begins, and how long it lasts.
const MORNING: i64 = 150 * MINUTE;
const BREAK: i64 = 90 * MINUTE;
/// From a day's midnight in UTC to 09:00 in Vietnam.
const OPENING: i64 = 120 * MINUTE;
/// How long a pass of a day takes on the clock at a speed of 1: a second for a minute of the exchange.
const PASS: i64 = TRADING / 60;
/// What is bid and asked for at each of the three levels, in shares.
const LEVELS: [i64; 3] = [100, 200, 300];

/// A stock's day up to a time in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    path: Path,
    /// The previous day's close.
    pub(crate) reference: i64,
    hours: Hours,
    /// The time since the opening, without the break.
    clock: i64,
}

/// When there is trading, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Hours {
    /// Since the epoch.
    opening: i64,
    auction: i64,
    pause: i64,
}

/// A level of the order book: price and shares.
pub(crate) type Level = (i64, i64);

impl Session {
    /// The session when so many milliseconds of a played day's 60,000 have passed.
    pub(super) fn new(day: Candle, reference: i64, passed: i64) -> Self {
        let clock = passed * (AUCTION + TRADING) / 60_000;
        Self {
            path: Path {
                day,
                length: TRADING,
                passes: 1,
            },
            reference,
            hours: Hours {
                opening: day.time * 1000 + OPENING,
                auction: AUCTION,
                pause: BREAK,
            },
            clock,
        }
    }

    /// A day that is over.
    pub(super) fn finished(day: Candle) -> Self {
        Self::new(day, day.open, 60_000)
    }

    /// The session of a day that is traded round the clock in a period on the clock, when it is `now`; all in
    /// milliseconds since the epoch.
    pub(super) fn on_the_clock(
        day: Candle,
        reference: i64,
        period: Range<i64>,
        speed: f64,
        now: i64,
    ) -> Self {
        let length = period.end - period.start;
        // No pass is shorter than a millisecond.
        let passes = (length as f64 * speed / PASS as f64).round() as i64;
        Self {
            path: Path {
                day,
                length,
                passes: passes.clamp(1, length),
            },
            reference,
            hours: Hours {
                opening: period.start,
                auction: 0,
                pause: 0,
            },
            clock: now.clamp(period.start, period.end) - period.start,
        }
    }

    /// The time, in milliseconds since the epoch.
    pub(crate) fn time(&self) -> i64 {
        self.at(self.clock)
    }

    /// Whether the opening auction goes on, before the day's first match.
    pub(crate) fn is_auction(&self) -> bool {
        self.clock <= self.hours.auction
    }

    /// The day's candle as far as it has grown; its close is the last price. Nothing before the first match.
    pub(crate) fn so_far(&self) -> Option<Candle> {
        let traded = self.traded();
        let (low, high) = self.path.range(0, traded);
        (!self.is_auction()).then(|| Candle {
            low,
            high,
            close: self.path.price(traded),
            volume: self.path.volume(traded),
            value: self.path.value(traded),
            ..self.path.day
        })
    }

    /// The minutes' candles in order, the last as far as it has grown.
    pub(crate) fn minutes(self) -> impl DoubleEndedIterator<Item = Candle> {
        let (path, traded) = (self.path, self.traded());
        (0..(traded + MINUTE - 1) / MINUTE).map(move |minute| {
            let start = minute * MINUTE;
            let end = traded.min(start + MINUTE);
            let (low, high) = path.range(start, end);
            Candle {
                time: self.at(self.hours.auction + start) / 1000,
                open: path.price(start),
                high,
                low,
                close: path.price(end),
                volume: path.volume(end) - path.volume(start),
                value: path.value(end) - path.value(start),
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
        (self.clock - self.hours.auction).max(0)
    }

    /// The time so long after the opening, without the break; in milliseconds since the epoch.
    fn at(&self, clock: i64) -> i64 {
        let paused = if clock < MORNING { 0 } else { self.hours.pause };
        self.hours.opening + clock + paused
    }
}
