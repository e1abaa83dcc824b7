use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::latest::tests::{rows, shuffled};

fn now_and_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

async fn brought(batches: impl IntoIterator<Item = &[Row]>) -> (MemoryTables, Upserted) {
    let tables = MemoryTables::default();
    let mut total = Upserted::default();
    for batch in batches {
        let upserted = tables.upsert(batch, now_and_a_minute()).await.unwrap();
        total.history += upserted.history;
        total.latest += upserted.latest;
    }
    (tables, total)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build().unwrap();
    runtime.block_on(future)
}

proptest! {
    #[test]
    fn order_repetition_and_cuts_end_in_the_same_tables(rows in rows(), seed in any::<u64>(), cut in 1..7_usize) {
        let (once, counted) = block_on(brought([rows.as_slice()]));
        prop_assert_eq!(counted.history, rows.len() as u64);
        prop_assert_eq!(once.history().len(), rows.len());
        let expected: Vec<_> = latest(rows.iter()).into_iter().cloned().collect();
        prop_assert_eq!(once.latest(), expected);
        prop_assert_eq!(counted.latest, once.latest().len() as u64);

        let mut again = shuffled(&rows, seed);
        again.extend(shuffled(&rows, !seed));
        let (other, counted) = block_on(brought(again.chunks(cut)));
        prop_assert_eq!(counted.history, rows.len() as u64);
        prop_assert_eq!(other.history(), once.history());
        prop_assert_eq!(other.latest(), once.latest());
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_once_the_time_is_up() {
    let tables = MemoryTables::default();
    let rows = [crate::row::tests::plain()];
    let refused = tables.upsert(&rows, Instant::now()).await;
    assert!(matches!(refused, Err(UpsertError::OutOfTime { .. })));
    assert_eq!((tables.history(), tables.latest()), (vec![], vec![]));
}
