use serde_json::{Value, json};

use super::{Answered, Lab};

/// The first played day begins at 0, and 240 minutes of the exchange's clock take 60 s.
const AT_10_30: u64 = 22_500;
const NEXT_DAY: u64 = 60_000;

impl Lab {
    async fn vci(&self, path: &str, body: Value) -> Answered {
        self.post(format!("{}/api/{path}", self.market.vci_url()), body)
            .await
    }

    async fn vci_board(&self) -> Value {
        let asked = json!({"symbols": ["VCB", "NOSUCH"]});
        self.vci("price/symbols/getList", asked).await.json()
    }

    async fn vci_history(&self, frame: &str, to: i64, count: usize) -> Value {
        let asked =
            json!({"timeFrame": frame, "symbols": ["VCB", "NOSUCH"], "to": to, "countBack": count});
        self.vci("chart/OHLCChart/gap-chart", asked).await.json()
    }

    async fn kbs_board(&self) -> Answered {
        let url = format!("{}/stock/iss", self.market.kbs_url());
        self.post(url, json!({"code": "VCB,NOSUCH"})).await
    }

    async fn kbs_history(&self, path: &str) -> Answered {
        self.get(&format!("/kbs/iis-server/investment/stocks/{path}"))
            .await
    }

    async fn dnse(&self, symbol: &str, from: i64, to: i64) -> Value {
        let query = format!("symbol={symbol}&from={from}&to={to}&resolution=1D");
        self.get(&format!("/dnse/chart-api/v2/ohlcs/stock?{query}"))
            .await
            .json()
    }
}

/// Later than every recorded day.
const REAL_NOW: i64 = 1_900_000_000;
/// 2025-06-12, the first played day, and the days before it.
const PLAYED_DAY: i64 = 1_749_686_400;
const DAY: i64 = 86_400;

#[tokio::test]
async fn vcis_board_is_in_vnd_and_leaves_unknown_symbols_out() {
    let lab = Lab::at_speed(1.0).await;
    lab.set(AT_10_30);
    assert_eq!(
        lab.vci_board().await,
        json!([{
            "listingInfo": {
                "symbol": "VCB", "ceiling": 59_500, "floor": 51_900, "refPrice": 55_700, "priorClosePrice": 55_700,
                "stockType": "STOCK", "board": "HSX", "listedShare": 0, "receivedTime": "2025-06-12T03:30:00Z",
            },
            "bidAsk": {
                "session": "LO",
                "time": "2025-06-12T03:30:00Z",
                "bidPrices": [
                    {"price": 55_600, "volume": 100}, {"price": 55_500, "volume": 200}, {"price": 55_400, "volume": 300},
                ],
                "askPrices": [
                    {"price": 55_800, "volume": 100}, {"price": 55_900, "volume": 200}, {"price": 56_000, "volume": 300},
                ],
            },
            "matchPrice": {
                "matchPrice": 55_700, "matchVol": 11_382, "matchType": "unknown", "highest": 56_000, "lowest": 55_700,
                "avgMatchPrice": 55_850, "accumulatedVolume": 853_600, "accumulatedValue": 47_673.56,
                "referencePrice": 55_700, "foreignBuyVolume": 0, "foreignSellVolume": 0, "time": "2025-06-12T03:30:00Z",
            },
        }])
    );
}

#[tokio::test]
async fn before_the_first_match_prices_are_0_and_the_auction_is_at_the_head_of_the_book() {
    let lab = Lab::at_speed(1.0).await;
    for position in [0, 3_749] {
        lab.set(position);
        let row = &lab.vci_board().await[0];
        assert_eq!(row["matchPrice"]["matchPrice"], 0);
        assert_eq!(row["matchPrice"]["accumulatedVolume"], 0);
        assert_eq!(row["bidAsk"]["session"], "ATO");
        assert_eq!(row["bidAsk"]["bidPrices"], json!([]));
        assert_eq!(row["listingInfo"]["refPrice"], 55_700);
        let row = &lab.kbs_board().await.json()[0];
        assert_eq!(
            (&row["CP"], &row["B1"], &row["S1"]),
            (&json!(0), &json!("ATO"), &json!("ATO"))
        );
        assert_eq!(
            lab.vci_history("ONE_MINUTE", REAL_NOW, 1).await[0]["t"][0],
            "1749626940",
            "yesterday's last"
        );
    }
    lab.set(3_760);
    assert_eq!(lab.vci_board().await[0]["matchPrice"]["matchPrice"], 56_000);
}

#[tokio::test]
async fn vcis_history_has_columns_in_vnd_with_times_as_text_up_to_an_exclusive_end() {
    let lab = Lab::at_speed(1.0).await;
    lab.set(NEXT_DAY);
    let days = json!([{
        "symbol": "VCB",
        "o": [56_200, 56_000], "h": [56_200, 56_100], "l": [55_700, 55_700], "c": [55_700, 56_000],
        "v": [2_295_800, 2_560_800], "t": ["1749600000", "1749686400"],
    }]);
    assert_eq!(lab.vci_history("ONE_DAY", REAL_NOW, 2).await, days);
    assert_eq!(lab.vci_history("ONE_DAY", PLAYED_DAY + 1, 2).await, days);
    assert_eq!(
        lab.vci_history("ONE_DAY", PLAYED_DAY, 1).await[0]["t"],
        json!(["1749600000"])
    );
    assert_eq!(
        lab.vci_history("ONE_DAY", REAL_NOW, 1000).await[0]["t"]
            .as_array()
            .unwrap()
            .len(),
        249
    );
    let other = json!({"timeFrame": "ONE_WEEK", "symbols": [], "to": 0, "countBack": 1});
    assert_eq!(
        lab.vci("chart/OHLCChart/gap-chart", other).await.status,
        400
    );
}

#[tokio::test]
async fn a_days_minutes_grow_within_it_and_pause_at_noon() {
    let lab = Lab::at_speed(1.0).await;
    // 13:01:30, of which the morning has 135 minutes.
    lab.set((15 + 136) * 250 + 125);
    let minutes = &lab.vci_history("ONE_MINUTE", REAL_NOW, 137).await[0];
    let times: Vec<i64> = minutes["t"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t.as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(times.len(), 137);
    assert_eq!(times[0], PLAYED_DAY + 2 * 3600 + 15 * 60, "09:15");
    assert_eq!(
        times[134..],
        [4 * 3600 + 29 * 60, 6 * 3600, 6 * 3600 + 60].map(|second| PLAYED_DAY + second)
    );
    let board = &lab.vci_board().await[0]["matchPrice"];
    assert_eq!(minutes["c"][136], board["matchPrice"]);
    let column = |name: &str| {
        minutes[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_i64().unwrap())
    };
    assert_eq!(json!(column("v").sum::<i64>()), board["accumulatedVolume"]);
    assert_eq!(json!(column("h").max()), board["highest"]);
    assert_eq!(json!(column("l").min()), board["lowest"]);
    let volume = |minutes: &Value| minutes["v"][136].as_i64().unwrap();
    lab.set((15 + 137) * 250);
    let grown = &lab.vci_history("ONE_MINUTE", REAL_NOW, 137).await[0];
    assert!(volume(minutes) < volume(grown));
}

#[tokio::test]
async fn vcis_listing_has_every_symbol_with_its_board() {
    let lab = Lab::at_speed(1.0).await;
    let listing = lab.get("/vci/api/price/symbols/getAll").await.json();
    let listing = listing.as_array().unwrap();
    assert_eq!(listing.len(), 10);
    assert_eq!(
        listing[0],
        json!({"id": 1, "symbol": "ACB", "type": "STOCK", "board": "HSX"})
    );
}

#[tokio::test]
async fn kbss_board_comes_with_status_201_and_the_first_level_as_text() {
    let lab = Lab::at_speed(1.0).await;
    lab.set(AT_10_30);
    let answer = lab.kbs_board().await;
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.json(),
        json!([{
            "SB": "VCB", "EX": "HOSE", "RE": 55_700, "CL": 59_500, "FL": 51_900, "OP": 56_000, "HI": 56_000,
            "LO": 55_700, "CP": 55_700, "CH": 0, "CHP": 0.0, "CV": 11_382, "TT": 853_600, "TV": 47_673_560_000_i64,
            "AP": 55_850, "FB": 0, "FS": 0, "FR": 0, "t": 1_749_699_000_000_i64,
            "B1": "55600.0", "V1": 100, "B2": 55_500, "V2": 200, "B3": 55_400, "V3": 300,
            "S1": "55800.0", "U1": 100, "S2": 55_900, "U2": 200, "S3": 56_000, "U3": 300,
        }])
    );
}

#[tokio::test]
async fn kbss_history_has_the_newest_first_with_local_times() {
    let lab = Lab::at_speed(1.0).await;
    lab.set(NEXT_DAY);
    let days = lab
        .kbs_history("VCB/data_day?sdate=11-06-2025&edate=12-06-2025")
        .await;
    let value = [
        (56_000 + 55_700) * 853_600 / 2,
        (55_700 + 56_100) * 853_600 / 2,
        (56_100 + 56_000) * 853_600 / 2,
    ];
    let newest = json!({
        "t": "2025-06-12 07:00", "o": 56_000, "h": 56_100, "l": 55_700, "c": 56_000, "v": 2_560_800,
        "va": value.iter().sum::<i64>(),
    });
    let days = days.json();
    assert_eq!(
        (&days["symbol"], &days["data_day"][0]),
        (&json!("VCB"), &newest)
    );
    assert_eq!(days["data_day"][1]["t"], "2025-06-11 07:00");
    assert_eq!(days["data_day"].as_array().unwrap().len(), 2);
    let minutes = lab
        .kbs_history("VCB/data_1P?sdate=12-06-2025&edate=12-06-2025")
        .await
        .json();
    let minutes = minutes["data_1P"].as_array().unwrap();
    assert_eq!(minutes.len(), 225);
    assert_eq!(
        (&minutes[0]["t"], &minutes[224]["t"]),
        (&json!("2025-06-12 14:29"), &json!("2025-06-12 09:15"))
    );
    let unknown = lab
        .kbs_history("NOSUCH/data_day?sdate=11-06-2025&edate=12-06-2025")
        .await;
    assert_eq!(unknown.json(), json!({"symbol": "NOSUCH", "data_day": []}));
    for wrong in [
        "VCB/data_day?sdate=2025-06-11&edate=12-06-2025",
        "VCB/data_day",
        "VCB/data_2P?sdate=1",
    ] {
        assert_eq!(lab.kbs_history(wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn dnses_history_is_in_thousand_vnd_and_empty_for_an_unknown_symbol() {
    let lab = Lab::at_speed(1.0).await;
    lab.set(NEXT_DAY);
    assert_eq!(
        lab.dnse("VCB", PLAYED_DAY - DAY, PLAYED_DAY).await,
        json!({
            "t": [PLAYED_DAY - DAY, PLAYED_DAY], "o": [56.2, 56.0], "h": [56.2, 56.1], "l": [55.7, 55.7],
            "c": [55.7, 56.0], "v": [2_295_800, 2_560_800], "nextTime": 0,
        })
    );
    assert_eq!(
        lab.dnse("NOSUCH", 0, REAL_NOW).await,
        json!({"t": [], "o": [], "h": [], "l": [], "c": [], "v": [], "nextTime": 0})
    );
}

#[tokio::test]
async fn a_year_up_to_the_real_now_is_a_year_up_to_the_played_day() {
    let lab = Lab::at_speed(1.0).await;
    for position in [AT_10_30, 100 * NEXT_DAY, 171 * NEXT_DAY + AT_10_30] {
        lab.set(position);
        let days = lab.dnse("VCB", REAL_NOW - 365 * DAY, REAL_NOW).await;
        let count = days["t"].as_array().unwrap().len();
        assert!(
            (245..=253).contains(&count),
            "{count} trading days in a year"
        );
        let listed = lab
            .kbs_history("VCB/data_day?sdate=01-01-2030&edate=31-12-2030")
            .await
            .json();
        let count = listed["data_day"].as_array().unwrap().len();
        assert!(
            (245..=253).contains(&count),
            "{count} trading days in a year"
        );
    }
    lab.set(172 * NEXT_DAY + AT_10_30);
    assert_eq!(
        lab.kbs_board().await.json()[0]["t"],
        1_749_699_000_000_i64,
        "the first day comes after the last"
    );
}
