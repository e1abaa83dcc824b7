use feeds::Feed;
use market::Calendar;

/// The largest record that a topic takes unless it is set up otherwise: librdkafka's own default of
/// `message.max.bytes`, a little below Kafka's of `max.message.bytes`. What compression saves is not counted on.
pub(crate) const LARGEST_RECORD: u32 = 1_000_000;

/// What a message has beside its days, in bytes.
const HEAD: u32 = 2_000;

/// The most that a day with its indicators takes, in bytes.
const DAY: u32 = 512;

/// The most calendar days whose bars fit into the largest record.
pub(crate) fn longest(feed: &Feed) -> u16 {
    let bars = (LARGEST_RECORD - HEAD) / DAY;
    let days = match feed.calendar {
        Calendar::Continuous => bars,
        _ => bars / 5 * 7,
    };
    u16::try_from(days).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use feeds::FeedSettings;
    use jiff::{Timestamp, ToSpan, civil::Date};
    use market::{Bar, DailyBars, Instrument, Observation, history_message};

    use super::*;

    /// So many days of a long-standing pair, each number as long as Binance writes it.
    fn bars(count: u32) -> DailyBars {
        let first: Date = "2017-08-17".parse().unwrap();
        let digits = |number: u32| format!("{number}.12345678").parse().unwrap();
        let bar = |day: u32| Bar {
            at: first.saturating_add(i64::from(day).days()),
            open: digits(110_000 + day),
            high: digits(119_000 + day % 700),
            low: digits(101_000 + day % 500),
            close: digits(105_000 + day * 7 % 9_000),
            volume: digits(1_000_000_000 + day * 999_983),
        };
        (0..count).map(bar).collect()
    }

    #[test]
    fn the_longest_history_of_every_feed_fits_into_a_record() {
        let settings = FeedSettings::new(|_| None, None, || Timestamp::UNIX_EPOCH);
        for (name, bars_a_week, most) in [("binance", 7, 1_949), ("vietnam", 5, 2_723)] {
            let longest = longest(&feeds::open(name, &settings).unwrap());
            assert_eq!(longest, most, "{name}");
            let observation = Observation {
                source: "binance",
                instrument: Instrument::unknown("BTCUSDT".parse().unwrap()),
                said: bars(u32::from(longest) * bars_a_week / 7),
                fetched_at: Timestamp::UNIX_EPOCH,
            };
            let bytes = history_message(&observation, longest, false).body.len();
            assert!(bytes <= LARGEST_RECORD as usize, "{name}: {bytes}");
        }
    }
}
