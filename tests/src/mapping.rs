//! What a trigger of a test does where the test says nothing else.

use std::time::Duration;

use plane::trigger::Mapping;
use sam_template::FailurePolicy;
use stream::start::StartAt;

/// One poller of a topic from its oldest record on, for the function `writer`, in batches of 100 within 200 ms, which are
/// tried until they succeed.
pub fn mapping(topic: &str, group: &str) -> Mapping {
    Mapping {
        name: format!("writer-{topic}"),
        function: "writer".to_owned(),
        topic: topic.to_owned(),
        group: group.to_owned(),
        batch_size: 100,
        window: Duration::from_millis(200),
        start_at: StartAt::Earliest,
        pollers: 1,
        failures: FailurePolicy::default(),
        on_failure: None,
    }
}
