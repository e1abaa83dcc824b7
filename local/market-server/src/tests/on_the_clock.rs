//! What the market promises of its times when they are the clock's.

use serde_json::{Value, json};

use super::{trades::Socket, *};

mod vietnam;

/// Open or closed in Vietnam and the US, at a weekend, and just before and at midnight, opening and month's end.
const STARTS: [&str; 6] = [
    "2026-11-28T15:07:41.250Z",
    "2026-11-27T02:00:00Z",
    "2026-11-30T01:59:59.900Z",
    "2026-11-30T23:59:58.500Z",
    "2026-12-24T17:59:59.999Z",
    "2027-02-09T12:00:00Z",
];

async fn lab(speed: f64, started: &str) -> Lab {
    let settings = Settings {
        times: Times::Now,
        ..settings(speed)
    };
    Lab::started(settings, started.parse().unwrap()).await
}

fn millis(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_millisecond()
}

fn integer(value: &Value) -> i64 {
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap()
}

impl Lab {
    fn now(&self) -> i64 {
        self.started.as_millisecond() + self.millis.load(Ordering::SeqCst).cast_signed()
    }

    /// The market's VCI board row of VCB, and KBS's.
    async fn boards(&self) -> [Value; 2] {
        let vci = format!("{}/api/price/symbols/getList", self.market.vci_url());
        let kbs = format!("{}/stock/iss", self.market.kbs_url());
        let vci = self.post(vci, json!({"symbols": ["VCB"]})).await.json();
        let kbs = self.post(kbs, json!({"code": "VCB"})).await.json();
        [vci[0].clone(), kbs[0].clone()]
    }

    /// The event time of each provider's quote, in milliseconds since the epoch.
    async fn event_times(&self) -> [i64; 4] {
        let quote = self.quote("AAPL").await.json();
        let ticker = self.ticker("?symbol=BTCUSDT").await.json();
        let [vci, kbs] = self.boards().await;
        [
            integer(&quote["t"]) * 1000,
            integer(&ticker["closeTime"]),
            millis(vci["matchPrice"]["time"].as_str().unwrap()),
            integer(&kbs["t"]),
        ]
    }

    /// The trades of the next message.
    async fn trades(socket: &mut Socket) -> Vec<Value> {
        let message = socket.hear().await.unwrap();
        message["data"].as_array().unwrap().clone()
    }

    async fn minutes(&self, query: &str) -> Vec<Value> {
        let path = format!("/api/v3/klines?symbol=BTCUSDT&interval=1m{query}");
        self.get(&path).await.json().as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn quotes_of_every_provider_are_seconds_old_and_never_of_the_future() {
    for started in STARTS {
        for speed in [1.0, 3.0, 60.0] {
            let lab = lab(speed, started).await;
            for later in [0, 999, 6_000, 61_500, 86_399_999] {
                lab.set(later);
                for time in lab.event_times().await {
                    let age = lab.now() - time;
                    assert!((0..7_000).contains(&age), "{age} ms at {started}, {speed}");
                }
            }
        }
    }
}

#[tokio::test]
async fn event_times_never_go_back_also_when_the_recordings_start_over() {
    let lab = lab(1.0, STARTS[0]).await;
    let mut before = lab.event_times().await;
    let mut rounds = 0;
    let mut price = None;
    // The crypto recording lasts 346 s, the stocks' 1,170 s and a Vietnamese day's prices 225 s.
    for second in 1..=1_300 {
        lab.set(second * 1_000);
        let ticker = lab.ticker("?symbol=BTCUSDT").await.json();
        let opened = integer(&ticker["openTime"]);
        rounds += i32::from(price.replace(opened).is_some_and(|before| before < opened));
        if second % 7 == 0 {
            let times = lab.event_times().await;
            assert!(
                before
                    .iter()
                    .zip(&times)
                    .all(|(before, time)| before <= time)
            );
            before = times;
        }
    }
    assert!((3..=4).contains(&rounds), "{rounds} rounds");
}

#[tokio::test]
async fn trades_are_just_over_when_they_are_sent_keep_their_spacing_and_never_go_back() {
    let lab = lab(1.0, STARTS[0]).await;
    let mut socket = Socket::of_btcusdt(&lab).await;
    let mut before = 0;
    let mut count = 0;
    for step in 1..=50 {
        lab.set(step * 8_000);
        let trades = Lab::trades(&mut socket).await;
        for trade in &trades {
            let time = integer(&trade["t"]);
            assert!(before < time && time < lab.now());
            let is_the_last_of_its_second = time % 1_000 == 999;
            assert!(is_the_last_of_its_second);
            (before, count) = (time, count + 1);
        }
        let age = lab.now() - before;
        assert!(age < 5_000, "{age} ms");
    }
    assert!(count > 300);
}

#[tokio::test]
async fn a_trade_that_is_sent_again_on_a_new_connection_is_the_same_trade() {
    let lab = lab(1.0, STARTS[0]).await;
    for second in 0..20 {
        lab.set(second * 1_000);
        let mut first = Socket::open(&lab, "one").await.unwrap();
        let mut second = Socket::open(&lab, "two").await.unwrap();
        first.say("subscribe", "BINANCE:ETHUSDT").await;
        let sent = Lab::trades(&mut first).await;
        second.say("subscribe", "BINANCE:ETHUSDT").await;
        assert_eq!(Lab::trades(&mut second).await, sent);
    }
}

#[tokio::test]
async fn klines_reach_from_a_year_ago_to_the_minute_that_goes_on_and_agree_with_the_tickers() {
    for started in &STARTS[..3] {
        for speed in [0.01, 1.0, 2.5, 1_000.0] {
            let lab = lab(speed, started).await;
            for later in [0, 1, 30_000, 125_000] {
                lab.set(later);
                let minutes = lab.minutes("&limit=1000").await;
                assert_eq!(minutes.len(), 1000);
                let opens: Vec<_> = minutes.iter().map(|kline| integer(&kline[0])).collect();
                assert!(opens.windows(2).all(|pair| pair[0] + 60_000 == pair[1]));
                let (last, now) = (&minutes[999], lab.now());
                assert!(opens[999] < now && now <= opens[999] + 60_000);
                let ticker = lab.ticker("?symbol=BTCUSDT").await.json();
                assert_eq!(last[4], ticker["lastPrice"]);
                let year_ago = lab.minutes("&startTime=0&limit=1").await;
                let age = now - integer(&year_ago[0][0]);
                assert!((age - 365 * 86_400_000).abs() < 200_000, "{age}");
            }
        }
    }
}

#[tokio::test]
async fn a_minute_that_is_over_stays_the_same_and_hours_and_days_are_made_of_minutes() {
    let lab = lab(1.0, STARTS[0]).await;
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let over = lab.minutes("&limit=101").await[..100].to_vec();
    lab.set(600_000);
    let from = integer(&over[0][0]);
    let again = lab.minutes(&format!("&startTime={from}&limit=100")).await;
    assert_eq!(again, over);
    for interval in ["1h", "1d"] {
        let path = format!("/api/v3/klines?symbol=BTCUSDT&interval={interval}&limit=2");
        let klines = lab.get(&path).await.json();
        let hour = &klines[1];
        let start = integer(&hour[0]);
        let minutes = lab.minutes(&format!("&startTime={start}&limit=1000")).await;
        assert_eq!(
            (&hour[1], &hour[4]),
            (&minutes[0][1], &minutes.last().unwrap()[4])
        );
        for item in [5, 7] {
            let sum: f64 = minutes.iter().map(|kline| number(&kline[item])).sum();
            assert!(
                (sum / number(&hour[item]) - 1.0).abs() < 1e-9,
                "{interval} {item}"
            );
        }
        let trades: i64 = minutes.iter().map(|kline| integer(&kline[8])).sum();
        assert_eq!(trades, integer(&hour[8]));
    }
}

#[tokio::test]
async fn two_markets_at_one_time_and_speed_say_the_same_whenever_they_started() {
    let (early, late) = (lab(2.0, STARTS[0]).await, lab(2.0, STARTS[1]).await);
    let apart = early.started.as_millisecond() - late.started.as_millisecond();
    late.set(u64::try_from(apart).unwrap());
    assert_eq!(early.quote("FB").await.body, late.quote("FB").await.body);
    assert_eq!(early.ticker("").await.body, late.ticker("").await.body);
    assert_eq!(early.boards().await, late.boards().await);
    assert_eq!(early.minutes("").await, late.minutes("").await);
}

#[tokio::test]
async fn a_frozen_provider_grows_old() {
    let lab = lab(1.0, STARTS[0]).await;
    for provider in [
        Provider::Finnhub,
        Provider::Binance,
        Provider::Vci,
        Provider::Kbs,
    ] {
        lab.market.set_fault(provider, Some(Fault::Frozen));
    }
    let before = lab.event_times().await;
    lab.set(600_000);
    assert_eq!(lab.event_times().await, before);
}
