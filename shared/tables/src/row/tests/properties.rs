use proptest::prelude::*;

use super::*;

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,2})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        "\"[ -!#-\\[\\]-~]{0,12}\"",
        "\"(NaN|2026-05-22T20:00:00(Z)?|\\\\u0000|1e[0-9]{1,4}|stock-(quotes|board)/1)\"",
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|list| format!("[{}]", list.join(","))),
            inner.prop_map(|value| format!("{{\"a\":{value}}}")),
        ]
    })
}

const MEMBERS: &str = "c d dp h l pc t price volume total_volume change change_percent percent_change price_change \
    price_change_percent ceiling_price floor_price reference_price highest_price lowest_price high low bid_price ask_price \
    time event_time fetched_at ticker other";

const META: &str =
    "schema event_time event_id source currency mic session trading_date flags fetched_at";

fn members(names: &'static str) -> impl Strategy<Value = Vec<String>> {
    let names: Vec<_> = names.split_whitespace().collect();
    let members = prop::sample::subsequence(names, 0..6);
    let members = members.prop_flat_map(|names| {
        let values = prop::collection::vec(json(), names.len());
        (Just(names), values)
    });
    members.prop_map(|(names, values)| {
        let members = names.iter().zip(values);
        members
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect()
    })
}

const TOPICS: [&str; 5] = [
    "stock-quotes",
    "crypto-prices",
    "stock-prices",
    "stock-board",
    "weather",
];

proptest! {
    #[test]
    fn any_bytes_are_a_row_none_or_a_sentence(value in any::<Vec<u8>>(), topic in ".{0,4}") {
        let received = Received { topic: &topic, value: Some(&value), ..Received::default() };
        let _ = read(&received, "");
    }

    #[test]
    fn any_members_are_a_row_none_or_a_sentence(
        mut all in members(MEMBERS), meta in prop::option::of(members(META)), topic in prop::sample::select(&TOPICS[..]),
    ) {
        all.push("\"symbol\":\"A\"".to_owned());
        if let Some(meta) = meta {
            all.push(format!("\"meta\":{{{}}}", meta.join(",")));
        }
        let value = format!("{{{}}}", all.join(","));
        match read(&received(topic, &value), "7") {
            Ok(Some(row)) => {
                prop_assert_eq!(read(&received(topic, &value), "7"), Ok(Some(row.clone())), "pure");
                prop_assert!(!said(&row).contains('\0'));
            }
            Ok(None) => {}
            Err(no_row) => prop_assert!(no_row.to_string().len() < 400, "{}", no_row),
        }
    }

    #[test]
    fn a_cut_message_is_never_taken_for_a_whole(at in any::<prop::sample::Index>()) {
        let message = recorded(FINNHUB).remove(0);
        let cut = &message[..at.index(message.len())];
        prop_assert!(matches!(read(&received("stock-quotes", cut), ""), Err(NoRow::Unfit(_))));
    }

    #[test]
    fn rows_have_one_digest_exactly_if_they_are_equal(one in 0..27_usize, other in 0..27_usize) {
        let (one, other) = (changed(one), changed(other));
        prop_assert_eq!(one.digest() == other.digest(), one == other);
    }
}

/// A row that differs from every other of these in one column.
fn changed(column: usize) -> Row {
    let mut row = row("stock-board", &recorded(BOARDS[0]).pop().unwrap());
    let numbers = [
        &mut row.volume,
        &mut row.total_volume,
        &mut row.change,
        &mut row.change_percent,
        &mut row.ceiling_price,
        &mut row.floor_price,
        &mut row.reference_price,
        &mut row.highest_price,
        &mut row.lowest_price,
        &mut row.bid_price,
        &mut row.ask_price,
    ];
    let taken = numbers.into_iter().nth(column).map(Option::take);
    if let Some(taken) = taken {
        assert!(taken.is_some());
        return row;
    }
    match column - 11 {
        0 => row.topic.push('x'),
        1 => row.epoch.push('x'),
        2 => row.partition += 1,
        3 => row.offset += 1,
        4 => row.ticker.push('x'),
        5 => row.time = None,
        6 => row.price = "32600.0".parse().unwrap(),
        7 => row.created_at = Timestamp::UNIX_EPOCH,
        8 => row.event_id = None,
        9 => row.source = Some(String::new()),
        10 => row.currency = None,
        11 => row.mic = None,
        12 => row.session = None,
        13 => row.trading_date = None,
        14 => row.flags = None,
        _ => row.flags = Some(vec![String::new()]),
    }
    row
}
