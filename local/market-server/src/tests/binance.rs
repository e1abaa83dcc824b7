use super::{Answered, Lab};

const BTCUSDT_AT_0: &str = concat!(
    r#"{"symbol":"BTCUSDT","priceChange":"-13.63000000","priceChangePercent":"-0.022","#,
    r#""weightedAvgPrice":"61832.00587791","prevClosePrice":"61837.63000000","lastPrice":"61824.00000000","#,
    r#""lastQty":"0.00008000","bidPrice":"61824.00000000","bidQty":"0.34769000","askPrice":"61824.01000000","#,
    r#""askQty":"5.81468000","openPrice":"61837.63000000","highPrice":"61837.63000000","#,
    r#""lowPrice":"61824.00000000","volume":"0.35892000","quoteVolume":"22192.74354970","#,
    r#""openTime":1723161255000,"closeTime":1723161255000,"firstId":3735683259,"lastId":3735683325,"#,
    r#""count":67}"#,
);

#[tokio::test]
async fn a_crypto_row_is_served_every_second_and_the_first_comes_after_the_last() {
    let lab = Lab::at_speed(1.0).await;
    lab.ticker("?symbol=BTCUSDT").await.is(200, BTCUSDT_AT_0);
    lab.set(345_000);
    let last = lab.ticker("?symbol=BTCUSDT").await.body;
    assert!(last.contains(r#""lastPrice":"61685.99000000","lastQty":"0.00140000""#));
    assert!(last.contains(r#""openTime":1723161255000,"closeTime":1723161600000"#));
    assert!(last.contains(r#""volume":"212.03315000","quoteVolume":"13084074.11238860""#));
    lab.set(346_000);
    lab.ticker("?symbol=BTCUSDT").await.is(200, BTCUSDT_AT_0);
}

#[tokio::test]
async fn symbol_gives_an_object_and_symbols_or_nothing_an_array() {
    let lab = Lab::at_speed(1.0).await;
    let eth = lab.ticker("?symbol=ETHUSDT").await.body;
    let both = format!("[{eth},{BTCUSDT_AT_0}]");
    lab.ticker("?symbols=%5B%22ETHUSDT%22,%22BTCUSDT%22%5D")
        .await
        .is(200, &both);
    lab.ticker("?symbols=%5B%22ETHUSDT%22%5D")
        .await
        .is(200, &format!("[{eth}]"));
    lab.ticker("")
        .await
        .is(200, &format!("[{BTCUSDT_AT_0},{eth}]"));
}

#[tokio::test]
async fn one_unknown_symbol_refuses_the_call_and_so_do_symbol_and_symbols_together() {
    let lab = Lab::at_speed(1.0).await;
    let invalid = r#"{"code":-1121,"msg":"Invalid symbol."}"#;
    lab.ticker("?symbol=NOSUCH").await.is(400, invalid);
    lab.ticker("?symbols=%5B%22BTCUSDT%22,%22NOSUCH%22%5D")
        .await
        .is(400, invalid);
    lab.ticker("?symbol=BTCUSDT&symbols=%5B%22ETHUSDT%22%5D")
        .await
        .is(
            400,
            "{\"code\":-1128,\"msg\":\"Combination of optional parameters invalid. \
             Recommendation: 'symbol' and 'symbols' cannot both be sent.\"}",
        );
    lab.ticker("?symbols=BTCUSDT").await.is(
        400,
        r#"{"code":-1100,"msg":"Illegal characters found in parameter 'symbols'; legal range is '^\\[(\"[\\w\\-._&&[^a-z]]{1,50}\"(,\"[\\w\\-._&&[^a-z]]{1,50}\"){0,}){0,1}\\]$'."}"#,
    );
}

#[tokio::test]
async fn the_exchange_says_the_assets_of_the_pairs_asked_for() {
    let lab = Lab::at_speed(1.0).await;
    let info = async |query: &str| lab.get(&format!("/api/v3/exchangeInfo{query}")).await;
    for (query, expected) in [
        ("", vec!["BTCUSDT", "ETHUSDT"]),
        ("?symbol=ETHUSDT", vec!["ETHUSDT"]),
        ("?symbols=%5B%22ETHUSDT%22%5D", vec!["ETHUSDT"]),
    ] {
        let body = info(query).await.json();
        let pairs = body["symbols"].as_array().unwrap();
        let names: Vec<_> = pairs.iter().map(|pair| &pair["symbol"]).collect();
        assert_eq!(names, expected);
        let (last, quote) = (pairs.last().unwrap(), "USDT");
        assert_eq!(
            (&last["baseAsset"], &last["quoteAsset"]),
            (&"ETH".into(), &quote.into())
        );
    }
    let refused = info("?symbols=%5B%22BTCUSDT%22,%22NOSUCH%22%5D").await;
    refused.is(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#);
    assert_eq!(refused.header("x-mbx-used-weight-1m"), "80");
}

#[tokio::test]
async fn every_binance_answer_tells_the_weight_used_and_too_much_is_refused_until_it_has_aged() {
    let lab = Lab::at_speed(1.0).await;
    let used = |answer: Answered| answer.header("x-mbx-used-weight-1m").to_owned();
    assert_eq!(used(lab.ticker("?symbol=BTCUSDT").await), "2");
    assert_eq!(used(lab.ticker("?symbol=NOSUCH").await), "4");
    assert_eq!(used(lab.ticker("?symbols=x").await), "6");
    lab.set(500);
    for call in 1..=74 {
        assert_eq!(used(lab.ticker("").await), (6 + call * 80).to_string());
    }
    let refused = lab.ticker("").await;
    refused.is(
        429,
        "{\"code\":-1003,\"msg\":\"Too much request weight used; current limit is 6000 request weight per \
         1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.\"}",
    );
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(used(refused), "5926");
    assert_eq!(
        used(lab.ticker("?symbol=BTCUSDT").await),
        "5928",
        "a smaller call still fits"
    );
    lab.set(60_500);
    assert_eq!(used(lab.ticker("").await), "80");
}

/// Linux alone answers on all of 127.0.0.0/8 unasked.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_weight_is_counted_for_each_client_address() {
    use super::client;

    let lab = Lab::at_speed(1.0).await;
    let url = format!("{}/api/v3/ticker/24hr", lab.market.binance_url());
    for address in [[127, 0, 0, 1], [127, 0, 0, 2]] {
        let answer = Answered::read(client(address).get(&url)).await;
        assert_eq!(answer.header("x-mbx-used-weight-1m"), "80");
    }
}
