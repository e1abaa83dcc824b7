//! Looking at every symbol of the topics: first at each for itself, then at what all of its topic say together.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use jiff::Timestamp;
use lake::{
    Layout, spelled_text,
    store::{Get, List, StoreError, list_folders},
};
use market::bars::Rules;
use tokio::task::JoinSet;

use super::{
    Explanation, Gap, GapsError, Outcome, Selection, SymbolGaps, TopicGaps,
    aside::Asides,
    explain::{Evidence, Run, explain, push},
    logs::{Logs, OfTopic},
    seen::{Marks, Of, Seen, look},
    sessions::{Markets, Sessions, calendar},
    slots::{Grid, Slots},
};
use crate::{damaged::Damaged, roll::progress::Progress};

/// How many symbols are read at the same time.
const AT_ONCE: usize = 4;

/// Looks at the topics and symbols that are selected, in the lake of this layout at `root`.
pub(crate) async fn scan<S: Get + List + 'static>(
    (store, layout, root): (Arc<S>, &Layout, &str),
    selection: &Selection,
    logs: Option<PathBuf>,
    ((from, to), now): ((Timestamp, Timestamp), Timestamp),
    is_silent: bool,
) -> Result<Outcome, GapsError> {
    let mut topics = topics(&*store, layout, selection, root).await?;
    let mut grids = BTreeMap::new();
    let mut too_short = None;
    for (_, topic) in &topics {
        let minutes = selection.beat(topic);
        if let Some(grid) = Grid::new(from, to, minutes) {
            grids.insert(topic.clone(), grid);
            continue;
        }
        let no_slot = GapsError::NoSlot {
            topic: topic.clone(),
            minutes,
            from,
            to,
        };
        match selection.topics.is_empty() {
            true => too_short = Some(no_slot),
            false => return Err(no_slot),
        }
    }
    // A range that is too short for one topic may do for others.
    topics.retain(|(_, topic)| grids.contains_key(topic));
    if let (true, Some(no_slot)) = (topics.is_empty(), too_short) {
        return Err(no_slot);
    }
    let read = match &logs {
        Some(folder) => {
            Logs::read(folder, &grids).map_err(|(path, cause)| GapsError::Logs { path, cause })?
        }
        None => Logs::default(),
    };
    let mut outcome = Outcome {
        logs,
        ..Outcome::default()
    };
    let mut progress = Progress::new(is_silent, topics.len());
    let mut unknown: BTreeSet<&String> = selection.symbols.iter().collect();
    for (segment, topic) in &topics {
        progress.topic(topic);
        let symbols = folders(&*store, &topic_root(layout, segment), layout.names().symbol).await?;
        let is_wanted = |symbol: &String| {
            let mut wanted = selection.symbols.iter();
            selection.symbols.is_empty()
                || wanted.any(|wanted| layout.symbol_segment(wanted) == *symbol)
        };
        let (wanted, others): (Vec<String>, Vec<String>) = symbols.into_iter().partition(is_wanted);
        unknown.retain(|symbol| !wanted.contains(&layout.symbol_segment(symbol)));
        if wanted.is_empty() {
            continue;
        }
        let grid = grids[topic];
        let mut of = Topic {
            store: Arc::clone(&store),
            layout: layout.clone(),
            segment: segment.clone(),
            name: topic.clone(),
            grid,
            rules: Rules {
                lateness: i64::try_from(selection.lateness.as_micros()).unwrap_or(i64::MAX),
                ..Rules::default()
            },
            markets: Arc::new(Markets::new(grid, selection.extended)),
            polled: BTreeMap::new(),
            damaged: std::mem::take(&mut outcome.damaged),
        };
        let half = of.look_at(wanted, now, &mut progress).await?;
        if let Some(open) = open_slots(&half) {
            of.look_at_others(others, open, &mut progress).await?;
        }
        let asides = Asides::read(&*store, layout, segment, &grid).await?;
        let symbols = half
            .into_iter()
            .map(|half| of.explain(half, &asides, read.of(topic)));
        let beat = selection.beat(topic);
        let symbols = symbols.collect();
        outcome
            .topics
            .insert(topic.clone(), TopicGaps { beat, symbols });
        outcome.damaged = of.damaged;
    }
    progress.finish();
    match unknown.first() {
        Some(symbol) => Err(GapsError::NoSymbol {
            symbol: (*symbol).clone(),
            root: root.to_owned(),
        }),
        None => Ok(outcome),
    }
}

/// The topics that are selected, as keys spell them and by name.
async fn topics(
    store: &impl List,
    layout: &Layout,
    selection: &Selection,
    root: &str,
) -> Result<Vec<(String, String)>, GapsError> {
    let known = folders(store, &layout.root(), layout.names().topic).await?;
    let named = |segment: &String| (segment.clone(), spelled_text(layout.version(), segment));
    if selection.topics.is_empty() {
        return Ok(known.iter().map(named).collect());
    }
    let wanted: BTreeSet<&String> = selection.topics.iter().collect();
    let wanted = wanted.into_iter().map(|topic| {
        let segment = layout.topic_segment(topic);
        match known.contains(&segment) {
            true => Ok((segment, topic.clone())),
            false => Err(GapsError::NoTopic {
                topic: topic.clone(),
                root: root.to_owned(),
                known: known.clone(),
            }),
        }
    });
    wanted.collect()
}

fn topic_root(layout: &Layout, segment: &str) -> String {
    format!("{}{}{segment}/", layout.root(), layout.names().topic)
}

async fn folders(store: &impl List, root: &str, name: &str) -> Result<Vec<String>, StoreError> {
    let folders = list_folders(store, root).await?;
    let named = folders.iter().filter_map(|folder| {
        let part = folder.strip_prefix(root)?.strip_prefix(name)?;
        part.strip_suffix('/').map(str::to_owned)
    });
    Ok(named.collect())
}

/// A topic while its symbols are looked at.
struct Topic<S> {
    store: Arc<S>,
    layout: Layout,
    segment: String,
    name: String,
    grid: Grid,
    rules: Rules,
    markets: Arc<Markets>,
    /// The slots in which anything was fetched, by source.
    polled: BTreeMap<String, Slots>,
    damaged: Damaged,
}

/// A symbol that was looked at for itself: memory for its gaps, and not for its slots.
struct Half {
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
fn open_slots(half: &[Half]) -> Option<std::ops::Range<usize>> {
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
    async fn look_at(
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
    async fn look_at_others(
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
    fn explain(&self, half: Half, asides: &Asides, logs: Option<&OfTopic>) -> SymbolGaps {
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
