use super::*;
use crate::{BoardQuote, Calendar, DailyBars, MinuteBars, Trade};

/// A Friday in New York, an hour after the opening.
const OPEN: &str = "2026-05-22T14:30:00Z";

/// The day after.
const CLOSED: &str = "2026-05-23T14:30:00Z";

fn flags_of(observation: &Observation, repeated: bool) -> Vec<String> {
    let meta = meta(&quote_message(observation, repeated));
    serde_json::from_value(meta["flags"].clone()).unwrap()
}

/// The flags of a US share with this current price, high and low, made so many seconds before it was fetched.
fn share([c, h, l]: [&str; 3], fetched_at: &str, age: i64) -> Vec<String> {
    let quote = stock(
        [c, h, l, "1", "1"],
        None,
        time(fetched_at).as_second() - age,
    );
    flags_of(
        &observed("finnhub", us_share("AAPL"), quote, fetched_at),
        false,
    )
}

/// The flags of a row with this price and band, bid and ask.
fn row([price, ceiling, floor]: [&str; 3], traded: bool, year: &str) -> Vec<String> {
    let fetched_at = format!("{year}-11-19T03:00:00Z");
    let row = BoardQuote {
        price: digits(price),
        traded,
        volume: None,
        total_volume: Some(digits("0")),
        reference: Some(digits("100")),
        ceiling: Some(digits(ceiling)),
        floor: Some(digits(floor)),
        high: None,
        low: None,
        average: None,
        bid: None,
        ask: None,
        time: Some(time(&fetched_at)),
        incomplete: false,
    };
    let share = Instrument::vietnamese_share("FPT".parse().unwrap(), Some(Calendar::Hose));
    flags_of(
        &observed("vci", share, Quote::Board(row), &fetched_at),
        false,
    )
}

/// The flags of a ticker with this bid and ask.
fn book(bid: &str, ask: &str) -> Vec<String> {
    let mut ticker = ticker(time(OPEN).as_millisecond(), ["1"; 8], 1);
    (ticker.bid, ticker.ask) = (Some(digits(bid)), Some(digits(ask)));
    flags_of(
        &observed("binance", pair("BTC", "USDT"), Quote::Crypto(ticker), OPEN),
        false,
    )
}

#[test]
fn an_ordinary_quote_has_no_flag() {
    assert!(share(["2", "3", "1"], OPEN, 0).is_empty());
    assert!(row(["100", "107", "93"], true, "2026").is_empty());
    assert!(book("1", "1").is_empty());
}

#[test]
fn prices_that_can_not_be_are_flagged() {
    assert_eq!(share(["0.00", "2", "0"], OPEN, 0), ["zero-price"]);
    assert_eq!(share(["3.1", "3", "1"], OPEN, 0), ["price-out-of-range"]);
    assert_eq!(share(["0.9", "3", "1"], OPEN, 0), ["price-out-of-range"]);
    assert_eq!(
        share(["1.5", "1", "2"], OPEN, 0),
        ["high-below-low", "price-out-of-range"],
        "no price is within a range upside down"
    );
    assert_eq!(
        row(["107.1", "107", "93"], true, "2026"),
        ["price-out-of-band"]
    );
    assert_eq!(
        row(["92.9", "107", "93"], true, "2026"),
        ["price-out-of-band"]
    );
    assert!(
        row(["92.9", "0", "0"], true, "2026").is_empty(),
        "zeros are no band"
    );
}

#[test]
fn a_bid_above_the_ask_is_flagged_but_not_above_an_empty_side() {
    assert_eq!(book("1.01", "1.00"), ["crossed"]);
    assert!(book("1.01", "0.00").is_empty());
    assert!(book("0", "0").is_empty());
}

#[test]
fn a_day_without_a_trade_is_flagged() {
    assert_eq!(row(["100", "107", "93"], false, "2026"), ["not-traded"]);
}

#[test]
fn a_pair_without_a_trade_in_24_hours_is_flagged() {
    let quiet = |trades| {
        let numbers = ["2", "2", "0", "0", "0", "0", "0", "0"];
        let quiet = ticker(time(OPEN).as_millisecond(), numbers, trades);
        let quote = Quote::Crypto(quiet);
        flags_of(
            &observed("binance", pair("QTC", "AEUR"), quote, OPEN),
            false,
        )
    };
    assert_eq!(quiet(0), ["not-traded-24h"], "no trade has no range");
    assert_eq!(quiet(1), ["price-out-of-range"]);
}

#[test]
fn a_price_more_than_five_seconds_ahead_is_flagged() {
    assert!(share(["2", "3", "1"], OPEN, -5).is_empty());
    assert_eq!(share(["2", "3", "1"], OPEN, -6), ["future-time"]);
}

#[test]
fn a_price_more_than_five_minutes_old_is_stale_while_the_market_is_open() {
    assert!(share(["2", "3", "1"], OPEN, 300).is_empty());
    assert_eq!(share(["2", "3", "1"], OPEN, 301), ["stale"]);
    assert!(share(["2", "3", "1"], CLOSED, 301).is_empty());
}

#[test]
fn daily_bars_are_never_stale_but_minute_bars_and_trades_are() {
    let flags = |message: &Message| meta(message)["flags"].clone();
    let days: DailyBars = vec![crate::Bar {
        at: "2026-05-21".parse().unwrap(),
        open: digits("1"),
        high: digits("1"),
        low: digits("1"),
        close: digits("1"),
        volume: digits("1"),
    }];
    let minutes: MinuteBars = days
        .iter()
        .map(|bar| crate::Bar {
            at: time("2026-05-22T14:24:00Z"),
            open: bar.open.clone(),
            high: bar.high.clone(),
            low: bar.low.clone(),
            close: bar.close.clone(),
            volume: bar.volume.clone(),
        })
        .collect();
    let trade = Trade {
        price: digits("1"),
        size: digits("1"),
        time: time("2026-05-22T14:24:00Z"),
        conditions: Vec::new(),
    };
    let days = observed("kbs", us_share("AAPL"), days, OPEN);
    assert_eq!(
        flags(&history_message(&days, 30, false)),
        serde_json::json!([])
    );
    let minutes = observed("kbs", us_share("AAPL"), minutes, OPEN);
    assert_eq!(
        flags(&intraday_message(&minutes, false)),
        serde_json::json!(["stale"])
    );
    let trade = observed("kbs", us_share("AAPL"), trade, OPEN);
    assert_eq!(flags(&trade_message(&trade)), serde_json::json!(["stale"]));
}

#[test]
fn what_came_before_is_flagged() {
    let quote = stock(["1"; 5], None, time(OPEN).as_second());
    let observation = observed("finnhub", us_share("AAPL"), quote, OPEN);
    assert_eq!(flags_of(&observation, true), ["repeated"]);
}

#[test]
fn a_year_whose_holidays_are_not_known_is_flagged() {
    assert_eq!(
        row(["100", "107", "93"], true, "2027"),
        ["holidays-unknown"]
    );
    assert_eq!(
        share(["2", "3", "1"], "2036-05-22T14:30:00Z", 0),
        ["holidays-unknown"]
    );
}

#[test]
fn several_flags_come_in_one_order() {
    let quote = stock(["0", "1", "2", "1", "1"], None, 2_100_000_010);
    let mut observation = observed("finnhub", us_share("AAPL"), quote, CLOSED);
    observation.fetched_at = Timestamp::from_second(2_100_000_000).unwrap();
    assert_eq!(
        flags_of(&observation, true),
        [
            "zero-price",
            "high-below-low",
            "price-out-of-range",
            "future-time",
            "repeated",
            "holidays-unknown",
        ]
    );
}
