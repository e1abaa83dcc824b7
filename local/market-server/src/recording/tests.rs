use jiff::Timestamp;
use proptest::prelude::*;

use crate::{crypto, playback::Playback, stocks};

use super::*;

const HEADER: &str = "date,symbol,open,high,low,close\n";
const AAPL: &str = "2012-05-18,AAPL,533.96,543.41,522.18,530.38\n";
const IBM: &str = "2012-05-18,IBM,198.78,198.78,195.16,195.88\n";
const NEXT_AAPL: &str = "2012-05-21,AAPL,534.5,561.54,534.05,561.28\n";
const NEXT_IBM: &str = "2012-05-21,IBM,195.98,197.93,194.63,197.76\n";

fn message(rows: &[&str]) -> String {
    let text = HEADER.to_owned() + &rows.concat();
    let error = stocks::read(&text).err().expect("a malformed recording");
    error.to_string()
}

#[test]
fn a_malformed_row_is_named_by_file_line_and_column() {
    let bad = AAPL.replace("543.41", "54E.41");
    assert_eq!(
        message(&[IBM, &bad]),
        "local/market-server/data/stocks.csv, line 3: the high is \"54E.41\", which is not a decimal above 0 and up to 10^15 \
         with at most 8 decimals; local/market-server/data/derive.py restores the file"
    );
    for (field, bad, fault) in [
        ("2012-05-18", "18/05/2012", "the date is \"18/05/2012\""),
        ("530.38", "0", "the close is \"0\""),
        ("530.38", "-530.38", "the close is \"-530.38\""),
        ("530.38", "600", "the close lies outside its range"),
        ("533.96", "1", "the open lies outside its range"),
        (",530.38", "", "5 fields stand where 6 belong"),
        ("530.38", "530.38,9", "7 fields stand where 6 belong"),
    ] {
        let message = message(&[&AAPL.replace(field, bad), IBM]);
        assert!(message.contains(&format!("line 2: {fault}")), "{message}");
    }
}

#[test]
fn a_row_that_is_missing_doubled_or_misplaced_is_named() {
    for (rows, line) in [
        (&[AAPL, IBM, NEXT_AAPL][..], 5),
        (&[AAPL, IBM, NEXT_IBM], 4),
        (&[AAPL, AAPL, NEXT_AAPL, NEXT_IBM], 3),
        (&[IBM, AAPL, NEXT_AAPL, NEXT_IBM], 3),
        (&[NEXT_AAPL, NEXT_IBM, AAPL, IBM], 4),
    ] {
        let message = message(rows);
        assert!(
            message.contains(&format!("line {line}: the row is out of order")),
            "{message}"
        );
    }
    for rows in [&[][..], &[AAPL, IBM]] {
        assert!(message(rows).contains("the recording ends before its second time"));
    }
    let other = stocks::read("symbol,date\n").err().unwrap().to_string();
    assert!(
        other.contains("line 1: the header is not date,symbol,open"),
        "{other}"
    );
}

#[test]
fn rows_follow_the_beat_and_begin_again_after_the_last() {
    let text = [HEADER, AAPL, IBM, NEXT_AAPL, NEXT_IBM].concat();
    let read_row = |[date, symbol, .., close]: [&str; 6]| {
        Ok(Stamped {
            time: if date == "2012-05-18" { 0 } else { 1 },
            symbol: symbol.to_owned(),
            row: close.to_owned(),
        })
    };
    let columns = ["date", "symbol", "open", "high", "low", "close"];
    let beat = Duration::from_secs(6);
    let recording = Recording::read("stocks.csv", columns, beat, &text, read_row).unwrap();
    let playback = Playback::new(Times::Recorded, 1.0, || Timestamp::UNIX_EPOCH).unwrap();
    let beat = |elapsed| recording.beats(playback.position(elapsed));
    let close = |symbol, millis| recording.at(symbol, beat(Duration::from_millis(millis)));
    assert_eq!(close("IBM", 0).unwrap(), "195.88");
    assert_eq!(close("IBM", 5999).unwrap(), "195.88");
    assert_eq!(close("IBM", 6000).unwrap(), "197.76");
    assert_eq!(close("IBM", 11_999).unwrap(), "197.76");
    assert_eq!(close("AAPL", 12_000).unwrap(), "530.38");
    assert_eq!(close("ZZZ", 0), None);
    assert!(recording.at("AAPL", beat(Duration::MAX)).is_some());
}

#[test]
fn the_recordings_that_are_compiled_in_are_the_derived_ones() {
    let sessions = stocks::sessions().unwrap();
    assert_eq!(sessions.symbols(), ["AAPL", "FB", "GOOG", "IBM", "MSFT"]);
    assert_eq!(sessions.rows.len(), 195 * 5);
    let seconds = crypto::seconds().unwrap();
    assert_eq!(seconds.symbols(), ["BTCUSDT", "ETHUSDT"]);
    assert_eq!(seconds.rows.len(), 346 * 2);
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in ".*", rows in "([0-9A-Z.,-]{0,40}\n){0,6}") {
        let crypto_header = include_str!("../../data/crypto.csv").lines().next().unwrap();
        let _ = stocks::read(&text);
        let _ = stocks::read(&format!("{HEADER}{rows}"));
        let _ = crypto::read(&format!("{crypto_header}\n{rows}"));
    }

    #[test]
    fn a_damaged_row_is_refused_or_read_and_never_panics(
        line in 1..20_usize,
        at in 0..200_usize,
        byte in "[0-9.,eE+-]",
    ) {
        let text = include_str!("../../data/crypto.csv");
        let mut lines: Vec<String> = text.lines().take(21).map(str::to_owned).collect();
        let at = at % lines[line].len();
        lines[line].replace_range(at..=at, &byte);
        let read = crypto::read(&lines.join("\n"));
        if let Err(error) = read {
            prop_assert!(error.to_string().starts_with("local/market-server/data/crypto.csv, line "));
        }
    }

    #[test]
    fn an_amount_is_kept_digit_for_digit(whole in 1..1_000_000_000_u64, cents in "[0-9]{1,8}") {
        let text = format!("{whole}.{cents}");
        prop_assert_eq!(amount("close", &text).unwrap().to_string(), text);
    }
}
