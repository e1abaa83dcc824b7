use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use crate::{Times, playback::Playback, stocks::Bar};

use super::*;

#[test]
fn a_session_with_the_recorded_prices_gives_the_recorded_body() {
    let session = Session {
        bar: Bar {
            open: "306.12".parse().unwrap(),
            high: "311.4".parse().unwrap(),
            low: "305.84".parse().unwrap(),
            close: "308.82".parse().unwrap(),
        },
        previous_close: "304.99".parse().unwrap(),
    };
    assert_eq!(
        body(&session, 1_779_480_000),
        r#"{"c":308.82,"d":3.83,"dp":1.2558,"h":311.4,"l":305.84,"o":306.12,"pc":304.99,"t":1779480000}"#
    );
}

#[test]
fn a_whole_number_has_no_point_and_no_change_is_zero() {
    let session = Session {
        bar: Bar {
            open: "610.0".parse().unwrap(),
            high: "610.00".parse().unwrap(),
            low: "600".parse().unwrap(),
            close: "600.0".parse().unwrap(),
        },
        previous_close: "600".parse().unwrap(),
    };
    assert_eq!(
        body(&session, 0),
        r#"{"c":600,"d":0,"dp":0,"h":610,"l":600,"o":610,"pc":600,"t":0}"#
    );
}

proptest! {
    #[test]
    fn at_any_time_and_speed_the_body_parses_and_its_close_is_a_recorded_one(
        seconds in 0.0..1e9_f64,
        speed in 1e-6..1e6_f64,
        times in prop::sample::select(vec![Times::Now, Times::Recorded]),
        symbol in prop::sample::select(vec!["AAPL", "FB", "GOOG", "IBM", "MSFT"]),
    ) {
        let elapsed = Duration::from_secs_f64(seconds);
        let playback = Playback::new(times, speed, || Timestamp::UNIX_EPOCH).unwrap();
        let sessions = sessions().unwrap();
        let beat = sessions.beats(playback.position(elapsed));
        let body = body(sessions.at(symbol, beat).unwrap(), 0);
        let quote: Value = serde_json::from_str(&body).unwrap();
        let number = |name: &str| quote[name].as_f64().unwrap();
        prop_assert!(number("h") >= number("l"));
        prop_assert!(number("h") >= number("c") && number("c") >= number("l"));
        let close = body.strip_prefix("{\"c\":").unwrap().split(',').next().unwrap();
        let recorded = include_str!("../../data/stocks.csv").lines().any(|line| {
            let (head, last) = line.rsplit_once(',').unwrap();
            head.contains(symbol) && last.trim_end_matches(".0") == close
        });
        prop_assert!(recorded, "{body}");
    }
}
