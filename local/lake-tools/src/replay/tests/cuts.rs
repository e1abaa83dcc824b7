//! The promises of a replay, wherever it is cut and whoever writes at the same time.

use proptest::prelude::*;

use super::{scenario::scenarios, *};

async fn replayed(store: &Shared, layout: &Layout) -> Result<Counts, ReplayError> {
    replay(store.clone(), layout).quarantine().await
}

/// Fails where a record is nowhere.
fn nothing_lost(scenario: &Scenario, objects: &BTreeMap<ObjectKey, Bytes>) {
    for (record, lines, asides) in scenario.held(objects) {
        assert!(lines + asides > 0, "{record:?} is lost");
    }
}

/// A store that looks at every record after every write.
fn watched(scenario: &Scenario, store: &MemoryStore) -> Shared {
    let scenario = scenario.clone();
    let watch = move |store: &MemoryStore| nothing_lost(&scenario, &store.objects());
    Shared {
        written: Some(Arc::new(watch)),
        ..Shared::of(store)
    }
}

fn in_one_place(scenario: &Scenario, objects: &BTreeMap<ObjectKey, Bytes>) {
    for (record, lines, asides) in scenario.held(objects) {
        assert_eq!(lines + asides, 1, "{record:?} {objects:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn wherever_it_is_cut_another_run_ends_the_same_and_nothing_is_lost_meanwhile(scenario in scenarios()) {
        let store = scenario.store();
        let (whole, layout) = (watched(&scenario, &store), &scenario.layout);
        run(replayed(&whole, layout)).unwrap();
        in_one_place(&scenario, &whole.objects());
        let requests = whole.requests.load(Ordering::SeqCst);
        for cut in 0..requests {
            for is_done in [false, true] {
                let watched = watched(&scenario, &store);
                let ends = Shared { end: Some((cut, is_done)), ..watched.clone() };
                let ended = run(replayed(&ends, layout));
                prop_assert!(ended.is_err(), "request {} of {}", cut, requests);
                let again = Shared { requests: Arc::default(), ..watched };
                run(replayed(&again, layout)).unwrap();
                prop_assert_eq!(again.objects(), whole.objects(), "cut at {} of {}", cut, requests);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn another_run_changes_nothing_and_counts_what_stays(scenario in scenarios()) {
        let store = Shared::of(&scenario.store());
        run(async {
            let first = replayed(&store, &scenario.layout).await.unwrap();
            let objects = store.objects();
            let second = replayed(&store, &scenario.layout).await.unwrap();
            prop_assert_eq!(store.objects(), objects);
            prop_assert_eq!((second.brought, second.deleted), (0, 0));
            prop_assert_eq!(second.aside, first.aside);
            Ok(())
        })?;
    }

    #[test]
    fn a_dry_run_writes_nothing_and_tells_what_the_run_does(scenario in scenarios()) {
        let store = Shared::of(&scenario.store());
        run(async {
            let before = store.objects();
            let dry = Replay { dry_run: true, ..replay(store.clone(), &scenario.layout) };
            let told = dry.quarantine().await.unwrap();
            prop_assert_eq!(store.objects(), before);
            let done = replayed(&store, &scenario.layout).await.unwrap();
            prop_assert_eq!(told, done);
            Ok(())
        })?;
    }

    #[test]
    fn two_runs_at_the_same_time_lose_nothing(scenario in scenarios()) {
        let store = watched(&scenario, &scenario.store());
        run(async {
            let (one, two) = futures::join!(replayed(&store, &scenario.layout), replayed(&store, &scenario.layout));
            one.unwrap();
            two.unwrap();
        });
        run(replayed(&store, &scenario.layout)).unwrap();
        in_one_place(&scenario, &store.objects());
    }
}

#[test]
fn an_offset_that_another_takes_meanwhile_leaves_each_record_in_one_place() {
    let (layout, record) = (layout(), record(1, &quote("A", 1_779_480_005)));
    let of = |record: &Record, way| Scenario {
        layout: layout.clone(),
        records: vec![(record.clone(), way)],
    };
    // What bronze has of the rival, put there all at once.
    let rivals = of(&scenario::rival(&record), Way::Delivered).store();
    let rivals = Arc::new(rivals.objects());
    let mut set_aside_again = 0;
    for way in [
        Way::AsideByOldCode,
        Way::AsideTwice,
        Way::OffsetFreed,
        Way::Malformed,
    ] {
        for at in 0..20 {
            let store = Shared::of(&of(&record, way).store());
            let rivals = Arc::clone(&rivals);
            let take = move |store: &MemoryStore| {
                for (key, body) in &*rivals {
                    let put = store.put_if_absent(key, body.clone());
                    // Taken already, and then the rival is too late.
                    let _ = futures::executor::block_on(put);
                }
            };
            let raced = Shared {
                before: Some((at, Arc::new(take))),
                ..store.clone()
            };
            let counts = run(replayed(&raced, &layout)).unwrap();
            let objects = store.objects();
            let (_, lines, asides) = of(&record, way).held(&objects)[0].clone();
            assert_eq!(lines + asides, 1, "{way:?} at {at}: {objects:#?}");
            set_aside_again += u32::from(asides == 1 && counts.aside.len() == 1);
            run(replayed(&store, &layout)).unwrap();
            assert_eq!(store.objects(), objects, "{way:?} at {at}");
        }
    }
    assert!(set_aside_again > 10, "{set_aside_again}");
}
