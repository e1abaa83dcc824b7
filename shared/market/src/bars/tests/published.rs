//! The reader against the messages that the pollers publish, and the reader that everyone else has.

use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::{
    BoardQuote, Calendar, CryptoTicker, DailyBars, Digits, Instrument, Message, MinuteBars,
    Observation, Published, Quote, StockQuote, Symbol, Tick, Trade, Volume, board_message,
    history_message, intraday_message, quote_message, trade_message,
};

/// The bronze line of a message.
fn line(body: &[u8]) -> Vec<u8> {
    let inner = body.strip_suffix(b"}").unwrap_or(body);
    let kafka = br#","_kafka":{"topic":"any","partition":3,"offset":41,"timestamp":1,"key":"k","headers":[]}}"#;
    [inner, kafka].concat()
}

fn any_digits() -> impl Strategy<Value = Digits> {
    "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?"
        .prop_filter_map("beyond 28 digits", |text| text.parse().ok())
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    (0..3_000_000_000_000_000_i64).prop_map(|time| Timestamp::from_microsecond(time).unwrap())
}

/// A time not far from that of the fetch, or of any.
fn near(fetched: Timestamp) -> impl Strategy<Value = Timestamp> {
    let near = (-4_000_000_000_i64..100_000_000).prop_map(move |micros| {
        let time = fetched.as_microsecond().saturating_add(micros);
        Timestamp::from_microsecond(time.max(0)).unwrap()
    });
    prop_oneof![9 => near, 1 => any_time()]
}

fn any_instrument() -> impl Strategy<Value = Instrument> {
    ("[A-Z0-9]{1,8}([.:/^][A-Z]{1,4})?", 0..4).prop_map(|(text, kind)| {
        let symbol: Symbol = text.parse().unwrap();
        match kind {
            0 => Instrument::us_share(symbol),
            1 => Instrument::crypto_pair(symbol, &text, None),
            2 => Instrument::vietnamese_share(symbol, Some(Calendar::Hnx)),
            _ => Instrument::unknown(symbol),
        }
    })
}

prop_compose! {
    fn any_quote(fetched: Timestamp)(
        kind in 0..3,
        price in any_digits(),
        total in prop::option::of(any_digits()),
        time in prop::option::of(near(fetched)),
    ) -> Quote {
        let at = time.unwrap_or(fetched);
        match kind {
            0 => Quote::Stock(StockQuote {
                current: price, change: None, percent_change: None, high: total, low: None, open: None,
                previous_close: None, time: at,
            }),
            1 => Quote::Crypto(CryptoTicker {
                close_time: at, last_price: price, open_price: None, high_price: None, low_price: None,
                volume: total, quote_volume: None, trades: None, price_change: None,
                price_change_percent: None, bid: None, ask: None,
            }),
            _ => Quote::Board(BoardQuote {
                price, traded: true, volume: None, total_volume: total, reference: None, ceiling: None,
                floor: None, high: None, low: None, average: None, bid: None, ask: None, time,
                incomplete: false,
            }),
        }
    }
}

prop_compose! {
    fn any_trade(fetched: Timestamp)(
        price in any_digits(), size in any_digits(), time in near(fetched),
    ) -> Trade {
        Trade { price, size, time, conditions: vec!["1".to_owned()] }
    }
}

fn any_bars<At: Clone + std::fmt::Debug>(
    at: impl Strategy<Value = At>,
) -> impl Strategy<Value = Vec<crate::Bar<At>>> {
    let numbers = prop::array::uniform5(any_digits());
    let bar = (at, numbers).prop_map(|(at, [open, high, low, close, volume])| crate::Bar {
        at,
        open,
        high,
        low,
        close,
        volume,
    });
    prop::collection::vec(bar, 0..12)
}

fn observation<T: std::fmt::Debug, S: Strategy<Value = T>>(
    said: impl Fn(Timestamp) -> S,
) -> impl Strategy<Value = Observation<T>> {
    (any_instrument(), any_time())
        .prop_flat_map(move |(instrument, fetched)| {
            (Just(instrument), said(fetched), Just(fetched))
        })
        .prop_map(|(instrument, said, fetched_at)| Observation {
            source: "vci",
            instrument,
            said,
            fetched_at,
        })
}

/// The amount of these digits; `None` if an amount can't hold it.
fn held(digits: &Digits) -> Option<Amount> {
    digits.as_str().parse().ok()
}

/// What a tick is to the fold, by what is documented of both.
fn expected(tick: &Tick<'_>) -> Result<Observed, Aside> {
    let event_time = tick.event_time.ok_or(Aside::NoEventTime)?.as_microsecond();
    let fetched_at = tick.fetched_at.unwrap().as_microsecond();
    if event_time - fetched_at > MINUTE {
        return Err(Aside::Ahead);
    }
    let price = held(tick.price).ok_or(Aside::OutOfRange)?;
    let said = match tick.volume {
        Volume::Trade(size) => Said::Trade {
            price,
            size: held(size).ok_or(Aside::OutOfRange)?,
        },
        Volume::Session { total, .. } => Said::Quote {
            price,
            session_volume: held(total),
        },
        Volume::Unknown | Volume::Rolling24h { .. } => Said::Quote {
            price,
            session_volume: None,
        },
    };
    Ok(Observed {
        event_time,
        fetched_at,
        event_id: Some(u128::from_str_radix(tick.event_id.unwrap(), 16).unwrap()),
        partition: 3,
        offset: 41,
        said,
        subject: 0,
    })
}

fn reads_as_its_tick(message: &Message) -> Result<(), TestCaseError> {
    let published = Published::read("any", &message.body).unwrap();
    let tick = published.tick().unwrap();
    let mut reader = Reader::new("any", Rules::default());
    let mut lines = Lines::default();
    let aside = reader.read(&line(&message.body), &mut lines).unwrap();
    match expected(&tick) {
        Ok(observed) => {
            prop_assert_eq!(aside, None);
            prop_assert_eq!(&lines.observed, &[observed]);
            prop_assert_eq!(Some(observed.age().div_euclid(1_000)), tick.age_ms);
        }
        Err(expected) => {
            prop_assert_eq!(aside, Some(expected));
            prop_assert_eq!(&lines, &Lines::default());
        }
    }
    prop_assert_eq!(reader.symbol(), Some(tick.symbol.as_str()));
    let subject = &reader.subjects()[0];
    prop_assert_eq!(subject.canonical_symbol.as_deref(), tick.canonical_symbol);
    prop_assert_eq!(subject.currency.as_deref(), tick.currency);
    prop_assert_eq!(
        subject.mic.as_deref(),
        tick.mic.as_ref().map(crate::Mic::as_str)
    );
    prop_assert_eq!(subject.source.as_deref(), tick.source);
    Ok(())
}

proptest! {
    #[test]
    fn a_quote_is_read_as_its_tick(observation in observation(any_quote), repeated: bool) {
        reads_as_its_tick(&quote_message(&observation, repeated))?;
        reads_as_its_tick(&board_message(&observation, repeated))?;
    }

    #[test]
    fn a_trade_is_read_as_its_tick(observation in observation(any_trade)) {
        reads_as_its_tick(&trade_message(&observation))?;
    }

    #[test]
    fn minute_bars_are_read_as_they_were_published(
        observation in observation(|fetched| any_bars(near(fetched))),
    ) {
        let observation: Observation<MinuteBars> = observation;
        let message = intraday_message(&observation, false);
        let Published::StockIntraday(published) = Published::read("any", &message.body).unwrap() else {
            panic!("{message:?}");
        };
        let fetched = published.meta.unwrap().fetched_at.as_microsecond();
        let expected = published.data.iter().filter_map(|bar| {
            let time = bar.at.as_microsecond();
            let said = Said::Bar {
                open: held(&bar.open)?, high: held(&bar.high)?, low: held(&bar.low)?,
                close: held(&bar.close)?, volume: held(&bar.volume)?,
            };
            (time - fetched <= MINUTE).then_some((time - time.rem_euclid(MINUTE), said))
        });
        let mut reader = Reader::new("any", Rules::default());
        let mut lines = Lines::default();
        let aside = reader.read(&line(&message.body), &mut lines).unwrap();
        let read: Vec<_> = lines.observed.iter().map(|one| (one.event_time, one.said)).collect();
        prop_assert_eq!(&read, &expected.collect::<Vec<_>>());
        prop_assert_eq!(aside.is_some(), read.len() < published.data.len());
        prop_assert!(lines.observed.iter().all(|one| one.fetched_at == fetched));
    }

    #[test]
    fn daily_bars_are_read_as_they_were_published(
        observation in observation(|_| any_bars(any_time().prop_map(|time| Zone::Utc.date(time.as_microsecond())))),
    ) {
        let observation: Observation<DailyBars> = observation;
        let message = history_message(&observation, 30, false);
        let is_dated = |date: Date| (1970..=9999).contains(&date.year());
        let expected = observation.said.iter().filter(|bar| is_dated(bar.at)).filter_map(|bar| {
            let prices = Prices {
                open: held(&bar.open)?, high: held(&bar.high)?, low: held(&bar.low)?, close: held(&bar.close)?,
            };
            Some((bar.at, prices, held(&bar.volume)?))
        });
        let expected: Vec<(Date, _, _)> = expected.collect();
        let mut reader = Reader::new("any", Rules::default());
        let mut lines = Lines::default();
        let aside = reader.read(&line(&message.body), &mut lines).unwrap();
        let read: Vec<_> = lines.days.iter().map(|day| (day.date, day.prices, day.volume)).collect();
        prop_assert_eq!(&read, &expected);
        prop_assert_eq!(aside.is_some(), read.len() < observation.said.len());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut lines = Lines::default();
        let _ = Reader::new("trades_raw", Rules::default()).read(&bytes, &mut lines);
    }

    #[test]
    fn a_damaged_line_is_read_or_refused_and_folded(
        observation in observation(any_quote),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut line = line(&quote_message(&observation, false).body);
        for (at, byte) in cuts {
            let at = at.index(line.len());
            line[at] = byte;
        }
        let mut reader = Reader::new("any", Rules::default());
        let mut lines = Lines::default();
        let _ = reader.read(&line, &mut lines);
        let bars = minutes(&mut lines.observed, reader.subjects(), &Rules::default());
        days(&hours(&bars));
    }

    #[test]
    fn any_json_in_the_place_of_a_number_is_refused_where_the_other_reader_refuses_it(
        number in prop_oneof![
            Just("null".to_owned()), Just("true".to_owned()), Just("{}".to_owned()), Just("[]".to_owned()),
            "\"[-+0-9.eE n]{0,6}\"", "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,8})?([eE][+-]?[0-9])?",
        ],
        of_size: bool,
    ) {
        let (price, size) = if of_size { ("1", number.as_str()) } else { (number.as_str(), "1") };
        let body = format!(r#"{{"symbol":"A","price":{price},"size":{size},"time":1772445600000}}"#);
        let mut line = line(body.as_bytes());
        // Kafka's timestamp is the fetch time here.
        let text = String::from_utf8(line).unwrap().replace(r#""timestamp":1,"#, r#""timestamp":1772445600000,"#);
        line = text.into_bytes();
        let mut lines = Lines::default();
        let read = Reader::new("trades_raw", Rules::default()).read(&line, &mut lines);
        let published = Published::read("trades_raw", body.as_bytes());
        match (published, read) {
            (Ok(_), Ok(_)) => {}
            // 28 digits are more than it holds with so many zeros, or its exponent is.
            (Err(error), Ok(_)) => prop_assert!(error.to_string().contains("out of range"), "{}", error),
            (Ok(_), Err(error)) => return Err(TestCaseError::fail(error.to_string())),
            (Err(_), Err(error)) => prop_assert!(matches!(error, LineError::Missing("price" | "size")), "{}", error),
        }
    }
}
