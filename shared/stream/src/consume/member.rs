//! A consumer whose end is waited for, but not for ever.

use std::{ops::Deref, sync::mpsc, thread, time::Duration};

use rdkafka::consumer::StreamConsumer;

use crate::context::Context;

/// How long whoever drops a member waits for it to leave.
const LEAVE: Duration = Duration::from_secs(1);

/// A member of a consumer group, which leaves it when dropped.
///
/// librdkafka closes a consumer while it serves the group's last rebalance, and waits without limit for its own answer,
/// which never comes if the group ended first (its issue 4884). So that is waited for on a thread of its own. One that
/// takes longer goes on by itself, at most until the process ends; the group drops the member after its session's time.
pub(super) struct Member(Option<StreamConsumer<Context>>);

impl Member {
    pub(super) fn new(consumer: StreamConsumer<Context>) -> Self {
        Self(Some(consumer))
    }
}

impl Deref for Member {
    type Target = StreamConsumer<Context>;

    #[expect(clippy::expect_used, reason = "it is taken out by drop alone")]
    fn deref(&self) -> &Self::Target {
        self.0.as_ref().expect("a consumer until it is dropped")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let consumer = self.0.take();
        let (gone, is_gone) = mpsc::channel();
        let leave = move || {
            drop(consumer);
            // Nobody may wait any more.
            let _ = gone.send(());
        };
        let started = thread::Builder::new()
            .name("leave-group".to_owned())
            .spawn(leave);
        if started.is_ok() {
            let _ = is_gone.recv_timeout(LEAVE);
        }
    }
}
