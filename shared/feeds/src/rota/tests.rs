use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use jiff::Timestamp;
use market::{Instrument, Quote};
use proptest::prelude::*;
use tokio::{
    task::yield_now,
    time::{Instant, sleep, sleep_until},
};

use super::*;
use crate::{gathered, test_server::symbols};

fn names(count: usize) -> Vec<Symbol> {
    symbols(&(0..count).map(|n| format!("S{n}")).collect::<Vec<_>>())
}

fn served(symbol: Symbol) -> Result<Observation<()>, FetchError> {
    Ok(Observation {
        source: "test",
        instrument: Instrument::unknown(symbol),
        said: (),
        fetched_at: Timestamp::UNIX_EPOCH,
    })
}

/// Polls with room for `room` symbols; the places of those that had their turn.
async fn poll(rota: &Rota, symbols: &[Symbol], room: usize, none: &FetchError) -> Vec<usize> {
    let left = Cell::new(room);
    let fetch = async |symbol: Symbol| match left.get() {
        0 => Err(none.clone()),
        some => {
            left.set(some - 1);
            // Answers come in another order than they are asked for.
            for _ in 0..left.get() {
                yield_now().await;
            }
            served(symbol)
        }
    };
    let polled = gathered(symbols, async |sink| rota.each(symbols, sink, fetch).await).await;
    assert!(polled.iter().map(|polled| &polled.symbol).eq(symbols));
    let places = polled.iter().enumerate();
    let served = places.filter(|(_, polled)| polled.result.is_ok());
    served.map(|(place, _)| place).collect()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// Why symbols have no turn.
fn refusal() -> impl Strategy<Value = FetchError> {
    let retry_after = Duration::from_secs(1);
    let denied = FetchError::Forbidden {
        detail: "no".to_owned(),
    };
    prop::sample::select(vec![
        FetchError::OverBudget,
        FetchError::NoTurn,
        FetchError::RateLimited { retry_after },
        FetchError::Banned { retry_after },
        FetchError::LeftAlone(Box::new(denied)),
    ])
}

proptest! {
    #[test]
    fn no_symbol_has_two_turns_more_than_another_whatever_share_is_served(
        count in 1..40_usize,
        concurrency in 1..50_usize,
        start: usize,
        rooms in prop::collection::vec(0..45_usize, 1..40),
        none in refusal(),
    ) {
        let rota = Rota::new(concurrency, start);
        let asked = names(count);
        let mut turns = vec![0_u32; count];
        for room in rooms {
            for place in run(poll(&rota, &asked, room, &none)) {
                turns[place] += 1;
            }
            let (least, most) = (turns.iter().min().unwrap(), turns.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{turns:?}");
        }
    }

    #[test]
    fn every_symbol_has_its_turn_within_as_many_polls_as_it_takes_to_serve_all(
        count in 1..40_usize,
        room in 1..45_usize,
        start: usize,
        warm_up in 0..5_usize,
    ) {
        let rota = Rota::new(8, start);
        let asked = names(count);
        for _ in 0..warm_up {
            run(poll(&rota, &asked, room, &FetchError::NoTurn));
        }
        let mut served = Vec::new();
        for _ in 0..count.div_ceil(room) {
            served.extend(run(poll(&rota, &asked, room, &FetchError::NoTurn)));
        }
        served.sort_unstable();
        served.dedup();
        prop_assert_eq!(served.len(), count);
    }

    #[test]
    fn two_jobs_of_one_provider_starve_none_of_each_others_symbols(
        (count, room) in (1..40_usize, 1..10_usize),
        (other_count, other_room) in (1..40_usize, 1..10_usize),
    ) {
        let rota = Rota::new(8, 0);
        let (asked, others) = (names(count), symbols(
            &(0..other_count).map(|n| format!("T{n}")).collect::<Vec<_>>()
        ));
        let mut served = Vec::new();
        for _ in 0..count.div_ceil(room) {
            served.extend(run(poll(&rota, &asked, room, &FetchError::NoTurn)));
            run(poll(&rota, &others, other_room, &FetchError::NoTurn));
        }
        served.sort_unstable();
        served.dedup();
        prop_assert_eq!(served.len(), count);
    }
}

#[tokio::test(start_paused = true)]
async fn symbols_that_hang_do_not_keep_the_others_from_their_turn() {
    let rota = Rota::new(4, 0);
    let asked = names(12);
    let mut answered = Vec::new();
    for _ in 0..3 {
        let until = Instant::now() + Duration::from_secs(1);
        // The first four hang, as many as are served at once.
        let fetch = async |symbol| {
            if Instant::now() >= until {
                return Err(FetchError::NoTurn);
            }
            if asked[..4].contains(&symbol) {
                sleep_until(until).await;
                return Err(FetchError::PastDeadline);
            }
            sleep(Duration::from_millis(10)).await;
            served(symbol)
        };
        let polled = gathered(&asked, async |sink| rota.each(&asked, sink, fetch).await).await;
        let ok = polled.into_iter().filter(|polled| polled.result.is_ok());
        answered.push(ok.count());
    }
    assert_eq!(answered, [0, 8, 8]);
}

#[tokio::test]
async fn the_first_poll_begins_at_the_start_that_was_given() {
    for (start, first) in [(0, "S0"), (2, "S2"), (7, "S1"), (usize::MAX, "S0")] {
        let order = RefCell::new(Vec::new());
        let rota = Rota::new(1, start);
        let asked = names(3);
        let fetch = async |symbol| {
            order.borrow_mut().push(symbol);
            Err(FetchError::NoTurn)
        };
        let polled: Vec<Polled<Quote>> =
            gathered(&asked, async |sink| rota.each(&asked, sink, fetch).await).await;
        assert_eq!(polled.len(), 3);
        assert_eq!(order.borrow()[0].as_str(), first, "{start}");
    }
}
