use futures::join;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_trigger_goes_on_where_it_committed_whatever_its_start() {
    let mapping = mapping("restarted", 1);
    publish(&mapping.topic, &["a", "b", "c"]).await;
    let running = Running::start(&mapping, succeed);
    until_committed(&mapping, &[Some(3)]).await;
    assert_eq!(running.sent(), [at(0, 0), at(0, 1), at(0, 2)]);
    drop(running);

    publish(&mapping.topic, &["d", "e"]).await;
    let at_the_end = Mapping {
        start_at: StartAt::Latest,
        ..mapping
    };
    let running = Running::start(&at_the_end, succeed);
    until_committed(&at_the_end, &[Some(5)]).await;
    assert_eq!(running.sent(), [at(0, 3), at(0, 4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_starts_at_the_beginning_at_the_end_or_at_a_time() {
    let first = mapping("started", 2);
    // Partition 0 gets records before and after the time, partition 1 only before.
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for key in ["a", "b", "c", "d", "e", "f"] {
        let place = publish("started", &[key]).await[0];
        let keys = if place.partition == 0 {
            &mut low
        } else {
            &mut high
        };
        keys.push(key);
    }
    let before = (low.len() as i64, high.len() as i64);
    assert!(before.0 > 0 && before.1 > 0, "{before:?}");
    // The next record is of a later millisecond.
    sleep(Duration::from_millis(2)).await;
    let time = runtime::clock::now();
    publish("started", &[low[0], low[0]]).await;

    let start = |name: &str, start_at| Mapping {
        group: format!("started-{name}"),
        start_at,
        ..first.clone()
    };
    let earliest = start("earliest", StartAt::Earliest);
    let latest = start("latest", StartAt::Latest);
    let since = start("since", StartAt::At(time));
    let future = start("future", StartAt::At(time + Duration::from_secs(3_600)));
    let brokers = broker().brokers();
    for (mapping, begin) in [
        (&earliest, [None, None]),
        (&latest, [Some(before.0 + 2), Some(before.1)]),
        (&since, [Some(before.0), Some(before.1)]),
        (&future, [Some(before.0 + 2), Some(before.1)]),
    ] {
        trigger::begin(brokers, mapping).await.unwrap();
        until_committed(mapping, &begin).await;
    }

    // What comes before the first member joins is not skipped.
    publish("started", &[low[0], high[0]]).await;
    let ends = [Some(before.0 + 3), Some(before.1 + 1)];
    let run = async |mapping: &Mapping| {
        let running = Running::start(mapping, succeed);
        until_committed(mapping, &ends).await;
        let mut sent = running.sent();
        sent.sort();
        sent
    };
    let (from_beginning, from_end, from_time, from_future) =
        join!(run(&earliest), run(&latest), run(&since), run(&future));
    let all = |low: i64, high: i64| {
        let low = (low..before.0 + 3).map(|offset| at(0, offset));
        let high = (high..before.1 + 1).map(|offset| at(1, offset));
        low.chain(high).collect::<Vec<_>>()
    };
    assert_eq!(from_beginning, all(0, 0));
    assert_eq!(from_end, all(before.0 + 2, before.1));
    assert_eq!(from_time, all(before.0, before.1));
    assert_eq!(from_future, from_end);
}
