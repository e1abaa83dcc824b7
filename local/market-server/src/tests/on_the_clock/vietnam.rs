//! What the Vietnamese boards and bars promise on the clock.

use jiff::{SignedDuration, Timestamp};
use market::Calendar;
use serde_json::{Value, json};

use super::{STARTS, integer, lab};

#[tokio::test]
async fn vietnamese_minutes_end_with_now_and_days_with_the_trading_date_of_the_calendar() {
    for started in STARTS {
        let lab = lab(1.0, started).await;
        lab.set(1);
        let today = Calendar::Hose.at(lab.started).trading_date.to_string();
        let url = format!("{}/api/chart/OHLCChart/gap-chart", lab.market.vci_url());
        let asked = |frame: &str| {
            let to = lab.now() / 1000 + 1;
            json!({"timeFrame": frame, "symbols": ["VCB"], "to": to, "countBack": 300})
        };
        let date = |seconds: i64| {
            let time = Timestamp::from_second(seconds).unwrap().to_string();
            time[..10].to_owned()
        };
        let days = lab.post(url.clone(), asked("ONE_DAY")).await.json();
        let days = days[0]["t"].as_array().unwrap().clone();
        assert_eq!(date(integer(days.last().unwrap())), today, "{started}");
        let minutes = lab.post(url, asked("ONE_MINUTE")).await.json();
        let minutes: Vec<_> = minutes[0]["t"]
            .as_array()
            .unwrap()
            .iter()
            .map(integer)
            .collect();
        assert_eq!(minutes.len(), 300);
        assert!(minutes.windows(2).all(|pair| pair[0] + 60 == pair[1]));
        let age = lab.now() - minutes[299] * 1000;
        assert!((1..=60_000).contains(&age), "{age} at {started}");
        let path = |list: &str, back: i64| {
            let day = |back: i64| {
                let local = lab.started + SignedDuration::from_hours(7 - 24 * back);
                local.strftime("%d-%m-%Y").to_string()
            };
            let (first, last) = (day(back), day(0));
            format!("/kbs/iis-server/investment/stocks/VCB/{list}?sdate={first}&edate={last}")
        };
        let kbs = lab.get(&path("data_day", 10)).await.json();
        assert_eq!(kbs["data_day"][0]["t"].as_str().unwrap()[..10], today);
        let kbs = lab.get(&path("data_1P", 1)).await.json();
        let newest = Timestamp::from_second(minutes[299] + 7 * 3600)
            .unwrap()
            .to_string();
        assert_eq!(
            kbs["data_1P"][0]["t"].as_str().unwrap(),
            newest[..16].replace('T', " ")
        );
        let dnse = format!(
            "/dnse/chart-api/v2/ohlcs/stock?symbol=VCB&from=0&to={}&resolution=1D",
            lab.now() / 1000
        );
        let dnse = lab.get(&dnse).await.json();
        assert_eq!(
            dnse["t"].as_array().unwrap(),
            &days
                .iter()
                .map(|day| json!(integer(day)))
                .collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn within_a_trading_date_the_board_never_trades_less_and_its_range_never_shrinks() {
    // Over a night, an opening and two midnights, a Vietnamese day being drawn 384 times a day.
    let lab = lab(1.0, "2026-11-26T03:00:00Z").await;
    let mut before: Option<(String, [i64; 6])> = None;
    let mut dates = 0;
    for step in 0..600 {
        lab.set(step * 300_000 + step % 7);
        let [vci, kbs] = lab.boards().await;
        let date = Calendar::Hose
            .at(vci["matchPrice"]["time"].as_str().unwrap().parse().unwrap())
            .trading_date
            .to_string();
        let of = |row: &Value, names: [&str; 6]| names.map(|name| integer(&row[name]));
        let names = [
            "matchPrice",
            "accumulatedVolume",
            "highest",
            "lowest",
            "referencePrice",
            "matchPrice",
        ];
        let said = of(&vci["matchPrice"], names);
        assert_eq!(said, of(&kbs, ["CP", "TT", "HI", "LO", "RE", "CP"]));
        let [price, volume, high, low, reference, _] = said;
        if volume > 0 {
            assert!(low <= price && price <= high);
            let bounds = ["floor", "ceiling"].map(|name| integer(&vci["listingInfo"][name]));
            assert!(
                bounds[0] <= price && price <= bounds[1],
                "{said:?} within {bounds:?}"
            );
        }
        match before {
            Some((ref day, [_, traded, highest, lowest, first, _])) if *day == date => {
                assert!(traded <= volume, "{date}");
                assert!(traded == 0 || (highest <= high && low <= lowest));
                assert_eq!(first, reference);
            }
            _ => dates += 1,
        }
        before = Some((date, said));
    }
    assert_eq!(dates, 2, "a Thursday, and a Friday with its weekend");
}
