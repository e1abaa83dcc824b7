use jiff::civil::Date;
use proptest::prelude::*;

use super::*;
use crate::{Bar, BoardQuote, Calendar, Published, Symbol, Trade};

/// A number with any digits that are kept: long ones, exponents, zeros at the end.
fn any_digits() -> impl Strategy<Value = Digits> {
    "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,12})?([eE][+-]?[0-9])?"
        .prop_filter_map("beyond 28 digits", |text| text.parse().ok())
}

fn maybe<T: Clone + std::fmt::Debug>(
    some: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    prop::option::of(some)
}

/// A time from 1970 to 2065, to the millisecond.
fn any_time() -> impl Strategy<Value = Timestamp> {
    (0..3_000_000_000_000_i64)
        .prop_map(|millisecond| Timestamp::from_millisecond(millisecond).unwrap())
}

fn any_instrument() -> impl Strategy<Value = Instrument> {
    ("[A-Z0-9]{1,8}([.:][A-Z]{1,4})?", 0..4).prop_map(|(text, kind)| {
        let symbol: Symbol = text.parse().unwrap();
        match kind {
            0 => Instrument::us_share(symbol),
            1 => Instrument::crypto_pair(symbol, &text, None),
            2 => Instrument::vietnamese_share(symbol, Some(Calendar::Hnx)),
            _ => Instrument::unknown(symbol),
        }
    })
}

fn any_observation<T: std::fmt::Debug>(
    said: impl Strategy<Value = T>,
) -> impl Strategy<Value = Observation<T>> {
    (any_instrument(), said, any_time()).prop_map(|(instrument, said, fetched_at)| Observation {
        source: "vci",
        instrument,
        said,
        fetched_at,
    })
}

prop_compose! {
    fn any_stock_quote()(
        current in any_digits(),
        [high, low, open, previous_close] in
            [maybe(any_digits()), maybe(any_digits()), maybe(any_digits()), maybe(any_digits())],
        change in maybe(any_digits()),
        percent_change in maybe(any_digits()),
        time in any_time(),
    ) -> Quote {
        Quote::Stock(StockQuote { current, change, percent_change, high, low, open, previous_close, time })
    }
}

prop_compose! {
    fn any_ticker()(
        last_price in any_digits(),
        [open_price, high_price, low_price] in [maybe(any_digits()), maybe(any_digits()), maybe(any_digits())],
        [volume, quote_volume, price_change, price_change_percent] in
            [maybe(any_digits()), maybe(any_digits()), maybe(any_digits()), maybe(any_digits())],
        trades: Option<u64>,
        close_time in any_time(),
    ) -> Quote {
        Quote::Crypto(CryptoTicker {
            close_time, last_price, open_price, high_price, low_price, volume, quote_volume, trades,
            price_change, price_change_percent, bid: None, ask: None,
        })
    }
}

prop_compose! {
    fn any_row()(
        price in any_digits(),
        [total_volume, reference, ceiling, floor] in
            [maybe(any_digits()), maybe(any_digits()), maybe(any_digits()), maybe(any_digits())],
        [volume, high, low, average, bid, ask] in [
            prop::option::of(any_digits()), prop::option::of(any_digits()), prop::option::of(any_digits()),
            prop::option::of(any_digits()), prop::option::of(any_digits()), prop::option::of(any_digits()),
        ],
        [traded, incomplete]: [bool; 2],
        time in maybe(any_time()),
    ) -> Quote {
        Quote::Board(BoardQuote {
            price, traded, volume, total_volume, reference, ceiling, floor, high, low, average, bid, ask, time, incomplete,
        })
    }
}

prop_compose! {
    fn any_trade()(
        price in any_digits(),
        size in any_digits(),
        time in any_time(),
        conditions in prop::collection::vec(".{0,4}", 0..3),
    ) -> Trade {
        Trade { price, size, time, conditions }
    }
}

fn any_bars<At: Clone + std::fmt::Debug>(
    at: impl Strategy<Value = At>,
) -> impl Strategy<Value = Vec<Bar<At>>> {
    let numbers = [
        any_digits(),
        any_digits(),
        any_digits(),
        any_digits(),
        any_digits(),
    ];
    let bar = (at, numbers).prop_map(|(at, [open, high, low, close, volume])| Bar {
        at,
        open,
        high,
        low,
        close,
        volume,
    });
    prop::collection::vec(bar, 0..30)
}

fn any_date() -> impl Strategy<Value = Date> {
    any_time().prop_map(|time| jiff::tz::Offset::UTC.to_datetime(time).date())
}

/// Every message of the quote, each read by its own schema.
fn is_the_same_again(message: &Message) -> Result<(), TestCaseError> {
    let published = Published::read("any", &message.body);
    let published = published.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let again = serde_json::to_string(&published).unwrap();
    prop_assert_eq!(str::from_utf8(&message.body).unwrap(), again);
    prop_assert_eq!(published.symbol().as_str(), &message.key);
    Ok(())
}

proptest! {
    #[test]
    fn a_quote_that_is_read_is_written_the_same(
        observation in any_observation(prop_oneof![any_stock_quote(), any_ticker(), any_row()]),
        repeated: bool,
    ) {
        is_the_same_again(&quote_message(&observation, repeated))?;
        is_the_same_again(&board_message(&observation, repeated))?;
    }

    #[test]
    fn a_trade_that_is_read_is_written_the_same(observation in any_observation(any_trade())) {
        is_the_same_again(&trade_message(&observation))?;
    }

    #[test]
    fn bars_that_are_read_are_written_the_same(
        minutes in any_observation(any_bars(any_time())),
        days in any_observation(any_bars(any_date())),
        period: u16,
        repeated: bool,
    ) {
        is_the_same_again(&intraday_message(&minutes, repeated))?;
        is_the_same_again(&history_message(&days, period, repeated))?;
    }
}

#[test]
fn the_largest_volumes_keep_every_digit() {
    for volume in [
        "9217126554917738496",
        "79228162514264337593543950335",
        "1.10",
        "1e3",
    ] {
        let body = format!(
            r#"{{"symbol":"FPT","price":1.10,"volume":{volume},"change":0.0,"percent_change":null,"high":null,"low":null,"avg":null,"timestamp":"2026-11-20T03:00:00.250Z"}}"#
        );
        let published = Published::read("stock-prices", body.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&published).unwrap(), body);
    }
}
