//! What counts where, and in which order.

use super::*;

#[test]
fn a_bar_begins_at_its_start_and_ends_a_microsecond_before_the_next() {
    let bars = folded(
        vec![
            trade("2026-03-02T10:00:00Z", 1, "1", "1"),
            trade("2026-03-02T10:00:59.999999Z", 2, "2", "1"),
            trade("2026-03-02T10:01:00Z", 3, "3", "1"),
            trade("2026-03-02T09:59:59.999999Z", 4, "4", "1"),
        ],
        Zone::Utc,
    );
    assert_eq!(
        starts(&bars),
        [
            "2026-03-02T09:59:00Z",
            "2026-03-02T10:00:00Z",
            "2026-03-02T10:01:00Z"
        ]
    );
    assert_eq!(prices(&bars[1]), ["1", "2", "1", "2"]);
    assert_eq!(bars[1].end - bars[1].start, MINUTE);
    assert_eq!(bars[1].end, bars[2].start);
    assert_eq!(bars[1].first_event_time, Some(bars[1].start));
    assert_eq!(bars[1].last_event_time, Some(bars[1].end - 1));
}

#[test]
fn before_1970_bars_begin_on_the_minute_too() {
    let bars = folded(
        vec![trade("1969-12-31T23:59:59.999999Z", 1, "1", "1")],
        Zone::Utc,
    );
    assert_eq!(bars[0].start, -MINUTE);
    assert_eq!(hours(&bars)[0].start, -HOUR);
    assert_eq!(days(&hours(&bars))[0].start, -DAY);
}

#[test]
fn no_row_is_where_nothing_happened() {
    let bars = folded(
        vec![
            quote("2026-03-02T10:00:00Z", 1, "1"),
            quote("2026-03-02T12:00:00Z", 2, "1"),
            quote("2026-03-05T10:00:00Z", 3, "1"),
        ],
        Zone::Utc,
    );
    assert_eq!((bars.len(), hours(&bars).len()), (3, 3));
    assert_eq!(days(&hours(&bars)).len(), 2);
}

#[test]
fn open_and_close_are_by_event_time_then_partition_then_offset() {
    let at = |event, partition, offset, price| Observed {
        partition,
        ..trade(event, offset, price, "1")
    };
    let bar = one_minute(vec![
        at("2026-03-02T10:00:30Z", 0, 1, "9"),
        at("2026-03-02T10:00:05Z", 2, 5, "3"),
        at("2026-03-02T10:00:05Z", 1, 9, "2"),
        at("2026-03-02T10:00:05Z", 1, 8, "1"),
        at("2026-03-02T10:00:50Z", 3, 10, "6"),
        at("2026-03-02T10:00:50Z", 3, 9, "5"),
        at("2026-03-02T10:00:50Z", 2, 99, "4"),
    ]);
    assert_eq!(prices(&bar), ["1", "9", "1", "6"]);
}

#[test]
fn a_record_exactly_at_the_bound_is_on_time_and_a_microsecond_later_it_is_late() {
    let at = "2026-03-02T10:00:00.000001Z";
    let bar = one_minute(vec![
        after(trade(at, 1, "1", "1"), HOUR),
        after(trade(at, 2, "2", "1"), HOUR + 1),
    ]);
    assert_eq!(prices(&bar), ["1", "1", "1", "1"]);
    assert_eq!(
        (bar.ticks, bar.trades, bar.late, bar.volume),
        (1, Some(1), 1, Some(Amount::from(1)))
    );
}

#[test]
fn a_bar_with_only_late_records_has_no_prices_and_says_of_what_it_is() {
    let late = after(trade("2026-03-02T10:00:00Z", 1, "1", "1"), 2 * HOUR);
    let bar = one_minute(vec![late]);
    assert_eq!((bar.prices, bar.volume, bar.trades), (None, None, None));
    assert_eq!((bar.ticks, bar.late), (0, 1));
    assert_eq!(bar.price_sum, Some(Amount::ZERO));
    assert_eq!((bar.vwap(), bar.avg_price()), (None, None));
    assert_eq!(
        (
            bar.first_event_time,
            bar.last_event_time,
            bar.close_event_id
        ),
        (None, None, None)
    );
    assert_eq!(bar.basis, Bases::TRADE);
}

#[test]
fn a_late_observation_is_counted_once_however_often_it_was_polled() {
    let late = |offset, age| Observed {
        event_id: Some(7),
        ..after(quote("2026-03-02T10:00:00Z", offset, "1"), age)
    };
    let bar = one_minute(vec![
        late(1, 2 * HOUR),
        late(2, 3 * HOUR),
        late(3, 4 * HOUR),
    ]);
    assert_eq!((bar.ticks, bar.late), (0, 1));
}

#[test]
fn a_repeated_poll_counts_once() {
    let poll = |offset, age| Observed {
        event_id: Some(7),
        ..after(quote("2026-03-02T10:00:00Z", offset, "5"), age)
    };
    let other = Observed {
        event_id: Some(8),
        ..quote("2026-03-02T10:00:00Z", 4, "6")
    };
    let bar = one_minute(vec![poll(3, 12), poll(2, 6), other, poll(1, 0)]);
    assert_eq!((bar.ticks, bar.price_sum), (2, Some(Amount::from(11))));
    assert_eq!(bar.close_event_id, Some(8), "the first poll's offset is 1");
}

#[test]
fn repeats_of_an_observation_whose_first_fetch_was_on_time_are_not_late() {
    // A weekend of polls that say Friday's price.
    let poll = |offset| Observed {
        event_id: Some(7),
        ..after(quote("2026-03-06T20:59:00Z", offset, "5"), offset * HOUR)
    };
    let bar = one_minute((0..60).rev().map(poll).collect());
    assert_eq!((bar.ticks, bar.late), (1, 0));
}

#[test]
fn records_without_an_id_are_observations_of_their_own() {
    let at = "2026-03-02T10:00:00Z";
    let bar = one_minute(vec![
        trade(at, 1, "5", "1"),
        trade(at, 2, "5", "1"),
        trade(at, 2, "5", "1"),
    ]);
    assert_eq!(bar.ticks, 2, "a line that is read twice is one record");
}

#[test]
fn one_id_at_two_event_times_is_two_observations() {
    let at = |event, offset| Observed {
        event_id: Some(7),
        ..quote(event, offset, "5")
    };
    let bar = one_minute(vec![
        at("2026-03-02T10:00:01Z", 1),
        at("2026-03-02T10:00:02Z", 2),
        at("2026-03-02T10:00:01Z", 3),
    ]);
    assert_eq!(bar.ticks, 2);
}

#[test]
fn where_a_minute_has_trades_quotes_give_no_price() {
    let at = "2026-03-02T10:00:30Z";
    let mut records = vec![
        quote("2026-03-02T10:00:00Z", 1, "1"),
        provider("2026-03-02T10:00:00Z", 4, "9", "2026-03-02T10:01:00Z"),
    ];
    assert_eq!(
        prices(&one_minute(records.clone())),
        ["1", "1", "1", "1"],
        "quotes over a provider's bar"
    );
    records.push(trade(at, 2, "2", "3"));
    records.push(quote("2026-03-02T10:00:59Z", 3, "8"));
    let bar = one_minute(records);
    assert_eq!(prices(&bar), ["2", "2", "2", "2"]);
    assert_eq!((bar.ticks, bar.volume), (1, Some(Amount::from(3))));
    assert_eq!(bar.basis.names(), "trade");
}

#[test]
fn a_late_trade_leaves_the_price_to_the_quotes_on_time() {
    let late = after(trade("2026-03-02T10:00:30Z", 2, "2", "3"), 2 * HOUR);
    let bar = one_minute(vec![quote("2026-03-02T10:00:00Z", 1, "1"), late]);
    assert_eq!(prices(&bar), ["1", "1", "1", "1"]);
    assert_eq!((bar.late, bar.basis.names()), (1, "quote".to_owned()));
}

#[test]
fn an_hour_of_several_kinds_of_minutes_names_them_all() {
    let bars = folded(
        vec![
            quote("2026-03-02T10:00:00Z", 1, "1"),
            trade("2026-03-02T10:01:00Z", 2, "2", "1"),
            provider("2026-03-02T10:02:00Z", 3, "3", "2026-03-02T10:03:00Z"),
        ],
        Zone::Utc,
    );
    let hour = &hours(&bars)[0];
    assert_eq!(hour.basis.names(), "provider,quote,trade");
    assert_eq!(prices(hour), ["1", "3", "1", "3"]);
    assert_eq!((hour.volume, hour.trades, hour.ticks), (None, None, 2));
}

#[test]
fn providers_of_one_bar_are_named_in_alphabetic_order() {
    let of = |source: &str| Subject {
        source: Some(source.to_owned()),
        ..Subject::default()
    };
    let subjects = [of("vci"), of("kbs"), Subject::default()];
    let from = |subject, minute: &str| Observed {
        subject,
        ..quote(
            &format!("2026-03-02T10:0{minute}Z"),
            i64::from(subject),
            "1",
        )
    };
    let mut records = vec![
        from(0, "0:00"),
        from(1, "0:01"),
        from(2, "0:02"),
        from(0, "1:00"),
        from(2, "2:00"),
    ];
    let bars = minutes(&mut records, &subjects, &Rules::default());
    let sources: Vec<_> = bars
        .iter()
        .map(|bar| bar.subject.source.as_deref())
        .collect();
    assert_eq!(sources, [Some("kbs,vci"), Some("vci"), None]);
    let hour = &hours(&bars)[0];
    assert_eq!(hour.subject.source.as_deref(), Some("kbs,vci"));
}
