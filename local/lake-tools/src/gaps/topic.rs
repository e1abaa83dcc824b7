//! The symbols of a topic: first each for itself, then by what all of the topic say together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use lake::{
    Layout, spelled_text,
    store::{Get, List, StoreError},
};
use market::bars::Rules;
use tokio::task::JoinSet;

use super::{
    Explanation, Gap, SymbolGaps,
    aside::Asides,
    explain::{Evidence, Run, explain, push},
    logs::OfTopic,
    seen::{Marks, Of, Seen, look},
    sessions::{Markets, Sessions, calendar},
    slots::{Grid, Slots},
};
use crate::{damaged::Damaged, roll::progress::Progress};

/// How many symbols are read at the same time.
const AT_ONCE: usize = 4;

/// A topic while its symbols are looked at.
pub(super) struct Topic<S> {
    pub(super) store: Arc<S>,
    pub(super) layout: Layout,
    pub(super) segment: String,
    pub(super) name: String,
    pub(super) grid: Grid,
    pub(super) rules: Rules,
    pub(super) markets: Arc<Markets>,
    /// The slots in which anything was fetched, by source.
    pub(super) polled: BTreeMap<String, Slots>,
    pub(super) damaged: Damaged,
}

/// A symbol that was looked at for itself: memory for its gaps, and not for its slots.
pub(super) struct Half {
    symbol: String,
    sources: BTreeSet<String>,
    is_traded: bool,
    is_daily: bool,
    sessions: Arc<Sessions>,
    market: &'static str,
    recorded: usize,
    closed: usize,
    open: Vec<Run<Marks>>,
}

/// The stretch of slots in which some symbol is not explained by its own records.
pub(super) fn open_slots(half: &[Half]) -> Option<std::ops::Range<usize>> {
    let runs = half.iter().flat_map(|half| &half.open);
    let open = runs.filter(|run| {
        let Marks {
            has_bar,
            has_late,
            is_polled,
            ..
        } = run.is;
        !(has_bar || has_late || is_polled)
    });
    // The slot before tells whether records of it were published in the first.
    open.map(|run| run.slots.start.saturating_sub(1)..run.slots.end)
        .reduce(|all, slots| all.start.min(slots.start)..all.end.max(slots.end))
}

impl<S: Get + List + 'static> Topic<S> {
    /// Looks at symbols, as keys spell them; those that were first recorded later are left out.
    pub(super) async fn look_at(
        &mut self,
        symbols: Vec<String>,
        now: Timestamp,
        progress: &mut Progress,
    ) -> Result<Vec<Half>, StoreError> {
        let mut found = Vec::new();
        let (grid, markets) = (self.grid, Arc::clone(&self.markets));
        let now = now.as_microsecond();
        let looked = self.each(symbols, (grid, now), progress);
        for (segment, seen) in looked.await? {
            self.count(&seen, 0);
            let calendar = calendar(seen.subject.as_ref());
            found.push(self.half(&segment, seen, markets.of(calendar), calendar.zone()));
        }
        found.sort_by(|one, other| one.symbol.cmp(&other.symbol));
        Ok(found)
    }

    /// Looks when other symbols were fetched in a stretch of slots.
    pub(super) async fn look_at_others(
        &mut self,
        symbols: Vec<String>,
        open: std::ops::Range<usize>,
        progress: &mut Progress,
    ) -> Result<(), StoreError> {
        let grid = Grid {
            from: self.grid.time(open.start),
            count: open.len(),
            ..self.grid
        };
        for (_, seen) in self.each(symbols, (grid, 0), progress).await? {
            self.count(&seen, open.start);
        }
        Ok(())
    }

    async fn each(
        &self,
        symbols: Vec<String>,
        (grid, now): (Grid, i64),
        progress: &mut Progress,
    ) -> Result<Vec<(String, Seen)>, StoreError> {
        let all = symbols.len();
        let mut running: JoinSet<Result<Option<(String, Seen)>, StoreError>> = JoinSet::new();
        let mut found = Vec::new();
        let mut symbols = symbols.into_iter();
        loop {
            while running.len() < AT_ONCE
                && let Some(symbol) = symbols.next()
            {
                let (store, layout) = (Arc::clone(&self.store), self.layout.clone());
                let (markets, of) = (Arc::clone(&self.markets), self.of(&symbol, grid));
                running.spawn(async move {
                    let is_open = |seen: &Seen, slot| {
                        let sessions = markets.of(calendar(seen.subject.as_ref()));
                        is_lost(seen, &sessions, slot)
                    };
                    let seen = look(&*store, &layout, &of, now, is_open).await?;
                    Ok(seen.map(|seen| (of.symbol, seen)))
                });
            }
            match running.join_next().await {
                None => return Ok(found),
                Some(Ok(seen)) => found.extend(seen?),
                // A defect of ours: its panic goes on here.
                Some(Err(error)) if error.is_panic() => {
                    std::panic::resume_unwind(error.into_panic())
                }
                Some(Err(_)) => {}
            }
            progress.symbol(all);
        }
    }

    fn of(&self, symbol: &str, grid: Grid) -> Of {
        Of {
            topic: self.segment.clone(),
            name: self.name.clone(),
            symbol: symbol.to_owned(),
            grid,
            rules: self.rules,
        }
    }

    /// Adds when a symbol was fetched, by slots that begin at `first`.
    fn count(&mut self, seen: &Seen, first: usize) {
        let count = self.grid.count;
        for source in sources(&seen.sources) {
            let polled = self.polled.entry(source.to_owned());
            let polled = polled.or_insert_with(|| Slots::none(count));
            match first {
                0 => polled.add(seen.polled()),
                first => (first..count)
                    .filter(|slot| seen.polled().has(slot - first))
                    .for_each(|slot| polled.mark(slot)),
            }
        }
        self.damaged.extend(&seen.damaged);
    }

    fn half(
        &self,
        segment: &str,
        seen: Seen,
        sessions: Arc<Sessions>,
        market: &'static str,
    ) -> Half {
        let (mut recorded, mut closed, mut open) = (0, 0, Vec::new());
        for slot in 0..self.grid.count {
            let marks = seen.marks(slot);
            if marks.is_recorded {
                recorded += 1;
            } else if slot < seen.begins || !sessions.open.has(slot) {
                closed += 1;
            } else {
                push(&mut open, slot, marks);
            }
        }
        let symbol = seen.symbol;
        Half {
            symbol: symbol.unwrap_or_else(|| spelled_text(self.layout.version(), segment)),
            sources: seen.sources,
            is_traded: seen.is_traded,
            is_daily: seen.is_daily,
            sessions,
            market,
            recorded,
            closed,
            open,
        }
    }

    /// What all records of the topic say of a symbol's gaps.
    pub(super) fn explain(
        &self,
        half: Half,
        asides: &Asides,
        logs: Option<&OfTopic>,
    ) -> SymbolGaps {
        let Self { grid, polled, .. } = self;
        let mut others = Slots::none(grid.count);
        for source in sources(&half.sources) {
            if let Some(polled) = polled.get(source) {
                others.add(polled);
            }
        }
        let evidence = |slot: usize, marks: Marks| {
            let has_others = others.has(slot);
            let was_before = slot == 0 || others.has(slot - 1);
            let is_connected = logs.is_some_and(|logs| logs.is_connected(slot));
            Evidence {
                is_expected: true,
                is_recorded: marks.is_recorded,
                has_bar: marks.has_bar,
                has_late: marks.has_late,
                is_polled: marks.is_polled,
                is_damaged: marks.is_damaged,
                is_aside: asides.has(&half.symbol, slot),
                is_streamed: half.is_traded && (has_others || is_connected),
                failed: logs.and_then(|logs| logs.failure(&half.symbol, slot)),
                is_not_landed: !has_others
                    && !was_before
                    && logs.is_some_and(|logs| logs.has_published(slot)),
                has_others,
                has_unknown_aside: asides.unknown.has(slot),
            }
        };
        let mut runs: Vec<Run<(Explanation, bool)>> = Vec::new();
        for run in &half.open {
            for slot in run.slots.clone() {
                let is_known = !half.sessions.unsure.has(slot);
                push(&mut runs, slot, (explain(evidence(slot, run.is)), is_known));
            }
        }
        let mut minutes = BTreeMap::from([
            (Explanation::Recorded.name(), grid.minutes(half.recorded)),
            (Explanation::Closed.name(), grid.minutes(half.closed)),
        ]);
        let gaps = runs.into_iter().map(|Run { slots, is }| {
            let (explanation, holidays_known) = is;
            let gap = Gap {
                from: grid.timestamp(slots.start),
                to: grid.timestamp(slots.end),
                minutes: grid.minutes(slots.len()),
                explanation,
                holidays_known,
            };
            *minutes.entry(gap.explanation.name()).or_default() += gap.minutes;
            gap
        });
        let gaps = gaps.collect();
        SymbolGaps {
            symbol: half.symbol,
            market: half.market,
            sources: half.sources.into_iter().collect(),
            is_daily: half.is_daily,
            minutes,
            gaps,
        }
    }
}

/// Whether a slot has no data that a later record may still bring.
fn is_lost(seen: &Seen, sessions: &Sessions, slot: usize) -> bool {
    let marks = seen.marks(slot);
    let is_expected = slot >= seen.begins && sessions.open.has(slot);
    is_expected && !marks.is_recorded && !marks.has_bar && !marks.is_polled
}

/// The providers of records; what does not say its provider is of one without a name.
fn sources(named: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    let unnamed = named.is_empty().then_some("");
    named.iter().map(String::as_str).chain(unnamed)
}
