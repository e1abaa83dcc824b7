use super::*;

fn place(group: &str, partition: i32) -> GroupPartition {
    GroupPartition {
        group: group.to_owned(),
        topic: "t".to_owned(),
        partition,
    }
}

fn lag_of(stats: &Stats, function: &str) -> BTreeMap<String, BTreeMap<String, i64>> {
    stats.snapshot().functions[function].lag.clone()
}

fn of_group(group: &str, partition: &str, lag: i64) -> (String, BTreeMap<String, i64>) {
    (group.to_owned(), [(partition.to_owned(), lag)].into())
}

#[test]
fn lag_is_what_is_held_and_not_committed() {
    let stats = Stats::default();
    stats.held("f", place("g", 0), 2..10);
    stats.held("f", place("g", 1), 0..5);
    stats.held("f", place("g", 2), 0..0);
    stats.committed("f", place("g", 1), 5);
    assert_eq!(lag_of(&stats, "f"), [of_group("g", "t-0", 8)].into());
    stats.committed("f", place("g", 0), 9);
    assert_eq!(lag_of(&stats, "f"), [of_group("g", "t-0", 1)].into());
    stats.held("f", place("g", 0), 12..12);
    assert_eq!(lag_of(&stats, "f"), BTreeMap::new());
}

#[test]
fn two_groups_on_one_partition_have_a_lag_each() {
    let stats = Stats::default();
    for (function, group) in [("f", "g"), ("f", "h"), ("other", "i")] {
        stats.held(function, place(group, 0), 0..10);
    }
    stats.committed("f", place("g", 0), 10);
    stats.committed("other", place("i", 0), 7);
    assert_eq!(lag_of(&stats, "f"), [of_group("h", "t-0", 10)].into());
    assert_eq!(lag_of(&stats, "other"), [of_group("i", "t-0", 3)].into());
    assert_eq!(stats.snapshot().lag(), 13);
}

#[test]
fn expired_records_are_counted_and_named() {
    let stats = Stats::default();
    stats.expired("f", "t", 3, &(5..9));
    stats.expired("f", "t", 0, &(0..1));
    let snapshot = stats.snapshot();
    assert_eq!((snapshot.total(|of| of.expired), snapshot.troubles), (5, 2));
    let said = snapshot.last_trouble.unwrap();
    assert!(said.starts_with("t-0: offsets 0 to 0 expired"), "{said}");
}

#[test]
fn latency_is_from_fetch_to_delivery() {
    let stats = Stats::default();
    let at = |second| Timestamp::constant(second, 0);
    stats.delivered("f", at(100), &[at(97), at(97), at(50)]);
    let of = &stats.snapshot().functions["f"];
    // To three digits.
    assert_eq!((of.latency_p50_ms, of.latency_p99_ms), (3_001, 50_015));
}

#[test]
fn metrics_add_up_for_each_function() {
    let stats = Stats::default();
    let polled = |topic: &str, count| Emitted {
        of: topic.to_owned(),
        values: vec![("QuotesPolled".to_owned(), count)],
    };
    stats.metrics("f", &polled("t", 3));
    stats.metrics("f", &polled("u", 3));
    stats.metrics("g", &polled("t", 1));
    let snapshot = stats.snapshot();
    assert_eq!(snapshot.functions["f"].metric("QuotesPolled"), 6);
    assert_eq!(snapshot.functions["f"].metric_of("QuotesPolled", "t"), 3);
    assert_eq!(snapshot.metric("QuotesPolled"), 7);
    assert_eq!(snapshot.metric("QuotesFailed"), 0);
}
