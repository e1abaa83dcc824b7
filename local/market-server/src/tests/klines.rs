use serde_json::{Value, json};

use super::{Answered, Lab};

async fn klines(lab: &Lab, query: &str) -> Answered {
    lab.get(&format!("/api/v3/klines?{query}")).await
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_kline_has_binances_twelve_items() {
    let lab = Lab::at_speed(1.0).await;
    lab.set(1_000);
    let answer = klines(&lab, "symbol=BTCUSDT&interval=1s").await;
    assert_eq!(
        answer.json(),
        json!([
            [
                1_723_161_254_000_i64,
                "61837.63000000",
                "61837.63000000",
                "61824.00000000",
                "61824.00000000",
                "0.35892000",
                1_723_161_254_999_i64,
                "22192.74354970",
                67,
                "0.00000000",
                "0.00000000",
                "0"
            ],
            [
                1_723_161_255_000_i64,
                "61824.00000000",
                "61824.01000000",
                "61824.00000000",
                "61824.01000000",
                "0.00686000",
                1_723_161_255_999_i64,
                "424.11270860",
                2,
                "0.00000000",
                "0.00000000",
                "0"
            ],
        ])
    );
    assert_eq!(answer.header("x-mbx-used-weight-1m"), "2");
}

#[tokio::test]
async fn minutes_join_the_seconds_and_the_last_grows_until_it_is_over() {
    let lab = Lab::at_speed(1.0).await;
    lab.set(345_000);
    let minutes = klines(&lab, "symbol=ETHUSDT&interval=1m").await.json();
    let minutes = minutes.as_array().unwrap();
    let opens: Vec<_> = minutes
        .iter()
        .map(|kline| kline[0].as_i64().unwrap())
        .collect();
    let first = 1_723_161_240_000;
    assert_eq!(
        opens,
        [0, 1, 2, 3, 4, 5].map(|minute| first + minute * 60_000)
    );
    let ticker = lab.ticker("?symbol=ETHUSDT").await.json();
    let sum = |item: usize| {
        minutes
            .iter()
            .map(|kline| number(&kline[item]))
            .sum::<f64>()
    };
    assert!((sum(5) - number(&ticker["volume"])).abs() < 1e-6);
    assert!((sum(7) - number(&ticker["quoteVolume"])).abs() < 1e-6);
    assert_eq!(minutes[5][4], ticker["lastPrice"]);
    let highs = minutes.iter().map(|kline| number(&kline[2]));
    let lows = minutes.iter().map(|kline| number(&kline[3]));
    assert_eq!(highs.fold(f64::MIN, f64::max), number(&ticker["highPrice"]));
    assert_eq!(lows.fold(f64::MAX, f64::min), number(&ticker["lowPrice"]));
    for pair in minutes.windows(2) {
        assert_eq!(pair[0][4], pair[1][1], "one opens where the other closed");
    }
    lab.set(344_000);
    let growing = klines(&lab, "symbol=ETHUSDT&interval=1m").await.json();
    assert_eq!(growing[4], minutes[4]);
    assert_ne!(growing[5], minutes[5]);
    lab.set(346_000);
    let again = klines(&lab, "symbol=ETHUSDT&interval=1m").await.json();
    assert_eq!(
        again.as_array().unwrap().len(),
        1,
        "the recording begins again"
    );
}

#[tokio::test]
async fn start_end_and_limit_cut_the_klines_as_at_binance() {
    let lab = Lab::at_speed(1.0).await;
    lab.set(345_000);
    for (query, minutes) in [
        ("", &[0, 1, 2, 3, 4, 5][..]),
        ("&limit=2", &[4, 5]),
        ("&startTime=1723161300000", &[1, 2, 3, 4, 5]),
        ("&startTime=1723161300001&limit=2", &[2, 3]),
        ("&endTime=1723161360000", &[0, 1, 2]),
        ("&endTime=1723161360000&limit=1", &[2]),
        ("&startTime=1723161300000&endTime=1723161360000", &[1, 2]),
        ("&startTime=1800000000000", &[]),
        ("&limit=5000", &[0, 1, 2, 3, 4, 5]),
    ] {
        let answer = klines(&lab, &format!("symbol=BTCUSDT&interval=1m{query}")).await;
        let answer = answer.json();
        let opens = answer.as_array().unwrap().iter();
        let served: Vec<_> = opens
            .map(|kline| (kline[0].as_i64().unwrap() - 1_723_161_240_000) / 60_000)
            .collect();
        assert_eq!(served, minutes, "{query}");
    }
}

#[tokio::test]
async fn a_klines_call_that_cannot_be_answered_has_binances_code() {
    let lab = Lab::at_speed(1.0).await;
    for (query, code) in [
        ("symbol=NOSUCH&interval=1m", -1121),
        ("interval=1m", -1102),
        ("symbol=BTCUSDT", -1102),
        ("symbol=BTCUSDT&interval=1M", -1120),
        ("symbol=BTCUSDT&interval=", -1120),
        ("symbol=btcusdt&interval=1m", -1100),
        ("symbol=BTCUSDT&interval=1m&limit=ten", -1100),
        ("symbol=BTCUSDT&interval=1m&startTime=-1", -1100),
        ("symbol=BTCUSDT&interval=1m&timeZone=7", -1104),
    ] {
        let answer = klines(&lab, query).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_i64()),
            (400, Some(code)),
            "{query}"
        );
        assert_ne!(answer.header("x-mbx-used-weight-1m"), "");
    }
}
