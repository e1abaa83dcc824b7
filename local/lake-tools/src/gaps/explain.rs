//! Why a slot has no data: the one explanation of each, and equal ones that follow each other as one stretch.

use std::ops::Range;

/// What a slot of a symbol is, or why it has no data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Explanation {
    /// The market is closed, or nobody had asked for the symbol yet.
    Closed,
    /// There is data.
    Recorded,
    /// There is a bar that its provider has made.
    Filled,
    /// There was nothing new: the provider was asked, or others of the stream were traded.
    Silent,
    /// Records of that time came late.
    Late,
    /// A bronze object that may have data of that time can't be read.
    Damaged,
    /// A record of that time is in quarantine.
    Quarantined,
    /// The provider failed or limited the rate, for this reason.
    Failing(String),
    /// Nothing of the topic was recorded from that source.
    NotRunning,
    /// Nothing says why.
    Unexplained,
}

impl Explanation {
    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Closed => "market-closed",
            Self::Recorded => "recorded",
            Self::Filled => "filled",
            Self::Silent => "silent",
            Self::Late => "late",
            Self::Damaged => "damaged",
            Self::Quarantined => "quarantined",
            Self::Failing(_) => "provider-failing",
            Self::NotRunning => "poller-not-running",
            Self::Unexplained => "unexplained",
        }
    }

    /// What says more, such as `rate-limited`.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Failing(cause) => Some(cause),
            _ => None,
        }
    }

    /// Whether prices are missing that a provider with history may still have.
    pub fn is_loss(&self) -> bool {
        !matches!(
            self,
            Self::Closed | Self::Recorded | Self::Filled | Self::Silent
        )
    }
}

/// What is known of a slot of a symbol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// The market is open, and the symbol was asked for by then.
    pub(crate) is_expected: bool,
    /// A price of that time was recorded in time.
    pub(crate) is_recorded: bool,
    /// There is a provider's bar.
    pub(crate) has_bar: bool,
    /// A price of that time was recorded late.
    pub(crate) has_late: bool,
    /// An answer about the symbol was fetched then, or a series of bars spans that time.
    pub(crate) is_polled: bool,
    /// A bronze object of the symbol and that time can't be read.
    pub(crate) is_damaged: bool,
    /// A record of the symbol and that time is in quarantine.
    pub(crate) is_aside: bool,
    /// The symbol is of a stream of trades that was connected: others were traded.
    pub(crate) is_streamed: bool,
    /// Why the poller got no answer, as it has logged.
    pub(crate) failed: Option<String>,
    /// The poller says that it published then, and nothing of it was recorded.
    pub(crate) is_not_landed: bool,
    /// Another symbol of the topic and source was fetched then.
    pub(crate) has_others: bool,
    /// A record of that time and topic, whose symbol can't be read, is in quarantine.
    pub(crate) has_unknown_aside: bool,
}

/// The one explanation of a slot.
pub(crate) fn explain(evidence: Evidence) -> Explanation {
    // Data comes first, then what is known of this very symbol, then what is known of its topic.
    if evidence.is_recorded {
        Explanation::Recorded
    } else if !evidence.is_expected {
        Explanation::Closed
    } else if evidence.has_bar {
        Explanation::Filled
    } else if evidence.has_late {
        Explanation::Late
    } else if evidence.is_polled {
        Explanation::Silent
    } else if evidence.is_damaged {
        Explanation::Damaged
    } else if evidence.is_aside {
        Explanation::Quarantined
    } else if evidence.is_streamed {
        Explanation::Silent
    } else if let Some(cause) = evidence.failed {
        Explanation::Failing(cause)
    } else if evidence.has_unknown_aside {
        Explanation::Quarantined
    } else if evidence.has_others || evidence.is_not_landed {
        Explanation::Unexplained
    } else {
        Explanation::NotRunning
    }
}

/// Slots that follow each other and have one explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run<T> {
    pub(crate) slots: Range<usize>,
    pub(crate) is: T,
}

/// Adds the next slot to the runs; one that does not follow the last, or is another thing, begins a new one.
pub(crate) fn push<T: PartialEq>(runs: &mut Vec<Run<T>>, slot: usize, is: T) {
    match runs.last_mut() {
        Some(last) if last.slots.end == slot && last.is == is => last.slots.end += 1,
        _ => runs.push(Run {
            slots: slot..slot + 1,
            is,
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn evidence() -> impl Strategy<Value = Evidence> {
        (any::<[bool; 11]>(), any::<bool>()).prop_map(|(is, fails)| Evidence {
            is_expected: is[0],
            is_recorded: is[1],
            has_bar: is[2],
            has_late: is[3],
            is_polled: is[4],
            is_damaged: is[5],
            is_aside: is[6],
            is_streamed: is[7],
            failed: fails.then(|| "timeout".to_owned()),
            is_not_landed: is[8],
            has_others: is[9],
            has_unknown_aside: is[10],
        })
    }

    proptest! {
        #[test]
        fn every_slot_of_a_session_has_one_explanation_that_its_evidence_bears_out(evidence in evidence()) {
            let is = explain(evidence.clone());
            let Evidence { is_expected, is_recorded, .. } = evidence;
            let borne_out = match &is {
                Explanation::Closed => !is_expected && !is_recorded,
                Explanation::Recorded => is_recorded,
                Explanation::Filled => evidence.has_bar,
                Explanation::Silent => evidence.is_polled || evidence.is_streamed,
                Explanation::Late => evidence.has_late,
                Explanation::Damaged => evidence.is_damaged,
                Explanation::Quarantined => evidence.is_aside || evidence.has_unknown_aside,
                Explanation::Failing(cause) => evidence.failed.as_ref() == Some(cause),
                Explanation::NotRunning => !evidence.has_others && !evidence.is_not_landed,
                Explanation::Unexplained => evidence.has_others || evidence.is_not_landed,
            };
            prop_assert!(borne_out, "{:?}", is);
            prop_assert_eq!(is == Explanation::Recorded, is_recorded);
            let nothing_said = evidence == Evidence {
                is_expected: true,
                has_others: evidence.has_others,
                is_not_landed: evidence.is_not_landed,
                ..Evidence::default()
            };
            if nothing_said {
                prop_assert_eq!(is == Explanation::Unexplained, evidence.has_others || evidence.is_not_landed);
            }
        }

        #[test]
        fn stretches_hold_every_slot_once_and_none_could_be_joined(slots in prop::collection::vec(prop::option::of(0..3_u8), 0..200)) {
            let mut runs = Vec::new();
            for (slot, is) in slots.iter().enumerate() {
                if let Some(is) = is {
                    push(&mut runs, slot, *is);
                }
            }
            let mut found = vec![None; slots.len()];
            for run in &runs {
                for slot in run.slots.clone() {
                    prop_assert_eq!(found[slot].replace(run.is), None);
                }
            }
            prop_assert_eq!(&found, &slots);
            for pair in runs.windows(2) {
                let joined = pair[0].slots.end == pair[1].slots.start && pair[0].is == pair[1].is;
                prop_assert!(pair[0].slots.end <= pair[1].slots.start && !joined);
            }
        }
    }
}
