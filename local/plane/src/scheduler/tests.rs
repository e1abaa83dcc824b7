use std::sync::Mutex;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::*;

fn schedule(input: Value) -> ScheduleEvent {
    ScheduleEvent {
        name: "Clock".to_owned(),
        expression: "rate(1 minute)".parse().unwrap(),
        timezone: TimeZone::get("America/New_York").unwrap(),
        input,
        enabled: true,
        line: 1,
    }
}

fn sent(input: Value) -> Value {
    let due = "2026-11-21T13:20:00.75Z".parse().unwrap();
    serde_json::from_slice(&payload("Poller", &schedule(input), due)).unwrap()
}

#[test]
fn the_context_attributes_of_the_input_are_replaced_wherever_they_stand() {
    let sent = sent(json!({
        "at": "<aws.scheduler.scheduled-time>",
        "key": {"<aws.scheduler.attempt-number>": ["<aws.scheduler.schedule-arn>"]},
        "text": "<aws.scheduler.scheduled-time>/<aws.scheduler.scheduled-time>",
        "other": "<aws.scheduler.unknown>",
    }));
    let expected = json!({
        "at": "2026-11-21T13:20:00Z",
        "key": {"1": ["arn:aws:scheduler:us-east-1:000000000000:schedule/default/PollerClock"]},
        "text": "2026-11-21T13:20:00Z/2026-11-21T13:20:00Z",
        "other": "<aws.scheduler.unknown>",
    });
    assert_eq!(sent, expected);
}

#[test]
fn every_invocation_has_an_execution_id_of_its_own() {
    let id = || sent(json!("<aws.scheduler.execution-id>"));
    let (first, second) = (id(), id());
    assert_ne!(first, second);
    let is_hex = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_hex(first.as_str().unwrap()), "{first}");
}

#[tokio::test]
async fn a_rate_is_due_at_its_start_and_says_so() {
    let (stop, times) = (CancellationToken::new(), Mutex::new(Vec::new()));
    let before = clock::now();
    let schedule = schedule(json!("<aws.scheduler.scheduled-time>"));
    run("Poller", schedule, &stop, |input| {
        times.lock().unwrap().push(input);
        stop.cancel();
        std::future::ready(())
    })
    .await;
    let times = times.into_inner().unwrap();
    let [time] = times.as_slice() else {
        panic!("{times:?}");
    };
    let time: Timestamp = serde_json::from_slice(time).unwrap();
    let late = clock::now();
    assert!((before.as_second()..=late.as_second()).contains(&time.as_second()));
}
