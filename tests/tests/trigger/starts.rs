use futures::join;

use super::*;

pipeline_tests::on_both_brokers! {
    a_restarted_trigger_goes_on_where_it_committed_whatever_its_start
    a_group_starts_at_the_beginning_at_the_end_or_at_a_time
}

async fn a_restarted_trigger_goes_on_where_it_committed_whatever_its_start(brokers: Brokers) {
    let mapping = mapping(brokers, "restarted", 1).await;
    publish(brokers, &mapping.topic, &["a", "b", "c"]).await;
    let running = Running::start(brokers, &mapping, succeed);
    until_committed(brokers, &mapping, &[Some(3)]).await;
    assert_eq!(running.sent(), [at(0, 0), at(0, 1), at(0, 2)]);
    drop(running);

    publish(brokers, &mapping.topic, &["d", "e"]).await;
    let at_the_end = Mapping {
        start_at: StartAt::Latest,
        ..mapping
    };
    let running = Running::start(brokers, &at_the_end, succeed);
    until_committed(brokers, &at_the_end, &[Some(5)]).await;
    assert_eq!(running.sent(), [at(0, 3), at(0, 4)]);
}

async fn a_group_starts_at_the_beginning_at_the_end_or_at_a_time(brokers: Brokers) {
    let first = mapping(brokers, "started", 2).await;
    // Partition 0 gets records before and after the time, partition 1 only before.
    let (mut before, mut keys) = ([0, 0], ["", ""]);
    for key in ["a", "b", "c", "d", "e", "f"] {
        let place = publish(brokers, "started", &[key]).await[0];
        let index = usize::try_from(place.partition).unwrap();
        (before[index], keys[index]) = (place.offset + 1, key);
    }
    let ([low, high], [low_key, high_key]) = (before, keys);
    assert!(low > 0 && high > 0, "{before:?}");
    // The next record is of a later millisecond.
    sleep(Duration::from_millis(2)).await;
    let time = runtime::clock::now();
    publish(brokers, "started", &[low_key, low_key]).await;

    let start = |name: &str, start_at| Mapping {
        group: format!("started-{name}"),
        start_at,
        ..first.clone()
    };
    let earliest = start("earliest", StartAt::Earliest);
    let latest = start("latest", StartAt::Latest);
    let since = start("since", StartAt::At(time));
    let future = start("future", StartAt::At(time + Duration::from_secs(3_600)));
    let cluster = brokers.cluster();
    for (mapping, begin) in [
        (&earliest, [None, None]),
        (&latest, [Some(low + 2), Some(high)]),
        (&since, [Some(low), Some(high)]),
        (&future, [Some(low + 2), Some(high)]),
    ] {
        trigger::begin(&cluster, mapping).await.unwrap();
        until_committed(brokers, mapping, &begin).await;
    }

    // What comes before the first member joins is not skipped.
    publish(brokers, "started", &[low_key, high_key]).await;
    let ends = [Some(low + 3), Some(high + 1)];
    let run = async |mapping: &Mapping| {
        let running = Running::start(brokers, mapping, succeed);
        until_committed(brokers, mapping, &ends).await;
        let mut sent = running.sent();
        sent.sort();
        sent
    };
    let (from_beginning, from_end, from_time, from_future) =
        join!(run(&earliest), run(&latest), run(&since), run(&future));
    let from = |first: i64, second: i64| {
        let first = (first..low + 3).map(|offset| at(0, offset));
        let second = (second..high + 1).map(|offset| at(1, offset));
        first.chain(second).collect::<Vec<_>>()
    };
    assert_eq!(from_beginning, from(0, 0));
    assert_eq!(from_end, from(low + 2, high));
    assert_eq!(from_time, from(low, high));
    assert_eq!(from_future, from_end);
}
