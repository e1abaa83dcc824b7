use proptest::prelude::*;

use super::*;

const LIMITS: &[Limit] = &[
    Limit {
        weight: 60,
        span: Duration::from_secs(60),
    },
    Limit {
        weight: 30,
        span: Duration::from_secs(1),
    },
];

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn the_call_that_fills_a_window_is_let_through_and_the_next_is_told_how_long_to_wait() {
    let meter = Meter::new(LIMITS);
    for call in 0..30 {
        assert_eq!(meter.spend(&"a", at(call * 10), 1), Ok(call as u32 + 1));
    }
    let over = OverLimit {
        used: 30,
        retry_after: at(700),
    };
    assert_eq!(meter.spend(&"a", at(300), 1), Err(over));
    assert_eq!(meter.spend(&"a", at(1000), 1), Ok(31));
}

#[test]
fn a_window_slides_with_every_call_and_does_not_start_anew_each_minute() {
    let meter = Meter::new(LIMITS);
    for call in 0..60 {
        assert!(meter.spend(&"a", at(call * 1000), 1).is_ok());
    }
    assert!(meter.spend(&"a", at(59_999), 1).is_err());
    assert!(meter.spend(&"a", at(60_000), 1).is_ok());
    let over = OverLimit {
        used: 60,
        retry_after: at(1000),
    };
    assert_eq!(meter.spend(&"a", at(60_000), 1), Err(over));
}

#[test]
fn one_clients_calls_never_cost_another() {
    let meter = Meter::new(LIMITS);
    assert!(meter.spend(&"a", at(0), 30).is_ok());
    assert!(meter.spend(&"a", at(0), 1).is_err());
    assert_eq!(meter.spend(&"b", at(0), 1), Ok(1));
}

proptest! {
    #[test]
    fn no_window_ever_holds_more_than_its_limit_and_the_promised_wait_is_exact(
        calls in prop::collection::vec((0..5000_u64, 1..=20_u32), 1..80),
    ) {
        let meter = Meter::new(LIMITS);
        let (mut now, mut accepted) = (0, Vec::new());
        for (pause, weight) in calls {
            now += pause;
            match meter.spend(&(), at(now), weight) {
                Ok(_) => accepted.push((at(now), weight)),
                Err(over) => {
                    let fits = at(now) + over.retry_after;
                    let full = LIMITS.iter().any(|limit| {
                        let just_before = fits - Duration::from_nanos(1);
                        used(&accepted, limit, just_before) + weight > limit.weight
                    });
                    prop_assert!(full, "a shorter wait would have done");
                    for limit in LIMITS {
                        prop_assert!(used(&accepted, limit, fits) + weight <= limit.weight);
                    }
                }
            }
        }
        for limit in LIMITS {
            for (now, _) in &accepted {
                let until: Vec<_> = accepted.iter().copied().filter(|(at, _)| at <= now).collect();
                prop_assert!(used(&until, limit, *now) <= limit.weight);
            }
        }
    }
}

fn used(calls: &[(Duration, u32)], limit: &Limit, now: Duration) -> u32 {
    let recent = calls.iter().filter(|(at, _)| now - *at < limit.span);
    recent.map(|(_, weight)| weight).sum()
}
