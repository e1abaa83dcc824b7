use std::collections::BTreeMap;

use lake::Reason;
use serde::Serialize;

use crate::damaged::Damaged;

/// What became of what was asked for, or with a dry run what would.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Whether it was stopped before its end.
    pub stopped: bool,
    /// What a trigger had given up to a bucket, if asked for.
    pub payloads: Option<Counts>,
    /// What a trigger had given up to a topic, if asked for.
    pub messages: Option<Counts>,
    /// What was in quarantine.
    pub quarantine: Counts,
}

/// What became of the records of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Records that were looked at.
    pub records: u64,
    /// Records brought to bronze.
    pub brought: u64,
    /// Records whose line was in bronze already.
    pub in_bronze_already: u64,
    /// Records that are in quarantine, by the reason that today's code has for it.
    pub aside: BTreeMap<Reason, u64>,
    /// Objects deleted: of quarantine those of records in bronze and second copies, of payloads those that are done.
    pub deleted: u64,
    /// Objects that were to be deleted and have been replaced since they were read: they stay.
    pub replaced: u64,
    /// What can't be read, and stays.
    pub damaged: Damaged,
}

impl Outcome {
    /// Whether everything that was asked for is in bronze.
    pub fn is_complete(&self) -> bool {
        let counts = [
            self.payloads.as_ref(),
            self.messages.as_ref(),
            Some(&self.quarantine),
        ];
        !self.stopped && counts.into_iter().flatten().all(Counts::is_complete)
    }
}

impl Counts {
    fn is_complete(&self) -> bool {
        self.aside.is_empty() && self.replaced == 0 && self.damaged.count == 0
    }

    pub(super) fn add_deletion(&mut self, is_deleted: bool) {
        if is_deleted {
            self.deleted += 1;
        } else {
            self.replaced += 1;
        }
    }

    pub(super) fn add_aside(&mut self, reason: Reason) {
        *self.aside.entry(reason).or_default() += 1;
    }
}
