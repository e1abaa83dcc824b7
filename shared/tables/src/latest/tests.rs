use proptest::prelude::*;

use super::*;

fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap()
}

/// A row of few times, keys and coordinates, so that many are alike.
pub(crate) fn row() -> impl Strategy<Value = Row> {
    (
        (0..2_i32, 0..4_i64, "[ab]", "[xy]"),
        "[AB]",
        prop::option::of("[pq]"),
        prop::option::of(-61_000_000..61_000_000_i64),
        0..3_i64,
    )
        .prop_map(
            |((partition, offset, topic, epoch), ticker, source, age, fetched)| {
                let created_at = 1_779_480_000_000_000 + fetched;
                Row {
                    partition,
                    offset,
                    topic,
                    epoch,
                    ticker,
                    source,
                    time: age.map(|age| time(created_at - age)),
                    created_at: time(created_at),
                    ..crate::row::tests::plain()
                }
            },
        )
}

/// Rows of which no two have one place in the order.
pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 0..24).prop_map(|mut rows| {
        let coordinates = |row: &Row| {
            (
                row.topic.clone(),
                row.epoch.clone(),
                row.partition,
                row.offset,
            )
        };
        rows.sort_by_key(coordinates);
        rows.dedup_by_key(|row| coordinates(row));
        rows
    })
}

proptest! {
    #[test]
    fn the_latest_are_the_maximum_of_each_key_whatever_the_order(rows in rows(), seed in any::<u64>()) {
        let newest = latest(rows.iter());
        let keys: Vec<_> = newest.iter().map(|row| key(row)).collect();
        prop_assert!(keys.is_sorted_by(|one, other| one < other), "one a key, sorted");
        for row in rows.iter().filter(|row| is_candidate(row)) {
            let of_key = newest.iter().find(|newest| key(newest) == key(row)).unwrap();
            prop_assert!(order(row) <= order(of_key));
        }
        prop_assert!(newest.iter().all(|newest| is_candidate(newest) && rows.contains(newest)));
        let shuffled = shuffled(&rows, seed);
        prop_assert_eq!(latest(shuffled.iter().chain(&rows)), newest);
    }
}

/// The rows in another order.
pub(crate) fn shuffled(rows: &[Row], seed: u64) -> Vec<Row> {
    let mut keyed: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let mixed = (seed ^ index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed.rotate_left(23).wrapping_mul(seed | 1), row)
        })
        .collect();
    keyed.sort_by_key(|(chance, _)| *chance);
    keyed.into_iter().map(|(_, row)| row.clone()).collect()
}

#[test]
fn a_row_is_newer_by_time_then_fetch_then_coordinates() {
    let base = Row {
        time: Some(time(5)),
        created_at: time(9),
        ..crate::row::tests::plain()
    };
    let newer = |change: fn(&mut Row)| {
        let mut row = base.clone();
        change(&mut row);
        row
    };
    let rising = [
        newer(|row| (row.time, row.created_at, row.offset) = (None, time(99), 99)),
        newer(|row| (row.time, row.created_at) = (Some(time(4)), time(99))),
        newer(|row| (row.created_at, row.offset) = (time(8), 99)),
        newer(|row| (row.offset, row.topic) = (-1, "z".to_owned())),
        newer(|row| (row.topic, row.epoch) = ("Z".to_owned(), "z".to_owned())),
        newer(|row| (row.epoch, row.partition) = (String::new(), 99)),
        base.clone(),
        newer(|row| row.partition = 4),
        newer(|row| row.epoch = "a".to_owned()),
        newer(|row| row.topic = "é".to_owned()),
    ];
    assert!(rising.is_sorted_by(|one, other| order(one) < order(other)));
    let changed = newer(|row| row.price = "2".parse().unwrap());
    assert_eq!(order(&base), order(&changed), "the price does not matter");
    let both = [base.clone(), changed];
    assert_eq!(latest(both.iter()), [&base], "the first stays");
}

#[test]
fn a_time_of_more_than_a_minute_after_the_fetch_is_never_the_latest() {
    let at = |micros: i64| Row {
        time: Some(time(micros)),
        created_at: time(1_000_000_000),
        ..crate::row::tests::plain()
    };
    let rows = [at(1_060_000_000), at(1_060_000_001)];
    assert_eq!(latest(rows.iter()), [&rows[0]]);
    let in_no_range = Row {
        time: Some(Timestamp::MAX),
        created_at: Timestamp::MIN,
        ..at(0)
    };
    assert!(!is_candidate(&in_no_range));
}
