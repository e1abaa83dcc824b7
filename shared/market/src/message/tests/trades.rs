use super::*;
use crate::Trade;

fn trade(conditions: &[&str]) -> Observation<Trade> {
    let trade = Trade {
        price: digits("146.760"),
        size: digits("43"),
        time: time("2021-08-06T14:28:50.221Z"),
        conditions: conditions.iter().map(ToString::to_string).collect(),
    };
    observed(
        "finnhub",
        us_share("AAPL"),
        trade,
        "2021-08-06T14:28:50.300Z",
    )
}

#[test]
fn a_trade_is_published_field_for_field() {
    let message = trade_message(&trade(&["1", "24", "12"]));
    assert_eq!(message.key, "AAPL");
    assert_eq!(
        text(message),
        concat!(
            r#"{"symbol":"AAPL","price":146.760,"size":43,"time":1628260130221,"conditions":["1","24","12"],"#,
            r#""meta":{"source":"finnhub","schema":"trades-raw/1","event_id":"6ee19754ba68a0ca8d09d549d817f8b3","symbol":"AAPL","#,
            r#""asset_class":"equity","mic":null,"currency":"USD","session":"regular","#,
            r#""trading_date":"2021-08-06","event_time":"2021-08-06T14:28:50.221Z","#,
            r#""fetched_at":"2021-08-06T14:28:50.300Z","age_ms":79,"flags":[]}}"#,
        )
    );
}

#[test]
fn trades_of_one_time_and_price_are_told_apart_by_their_conditions() {
    let id = |trade| meta(&trade_message(&trade))["event_id"].clone();
    assert_eq!(id(trade(&["1"])), id(trade(&["1"])));
    assert_ne!(id(trade(&["1"])), id(trade(&[])));
}
