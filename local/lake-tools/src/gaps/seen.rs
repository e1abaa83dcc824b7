//! What bronze has of one symbol, as marks of slots: however many lines, so many bits.

use std::collections::BTreeSet;

use lake::{
    Layout, ObjectKey, Version, read_line,
    store::{Get, List, StoreError},
};
use market::bars::{Aside, Lines, MINUTE, Observed, Reader, Rules, Said, Subject};

use super::{
    objects::{bucket, first, objects},
    slots::{Grid, Slots},
};
use crate::{
    damaged::Damaged,
    reading::{Reading, read},
};

/// A symbol of a topic, as keys spell both, and the slots that are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Of {
    pub(crate) topic: String,
    /// The topic's name.
    pub(crate) name: String,
    pub(crate) symbol: String,
    pub(crate) grid: Grid,
    pub(crate) rules: Rules,
}

/// What was read of a symbol.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The symbol as its records have it.
    pub(crate) symbol: Option<String>,
    /// What its records say that it is.
    pub(crate) subject: Option<Subject>,
    /// The providers of its records.
    pub(crate) sources: BTreeSet<String>,
    /// Whether it has trades.
    pub(crate) is_traded: bool,
    /// Whether it has daily bars.
    pub(crate) is_daily: bool,
    /// The slots before it was first recorded.
    pub(crate) begins: usize,
    /// Slots with a price that was recorded in time.
    ticked: Slots,
    /// Slots with a minute bar of a provider.
    barred: Slots,
    late: Slots,
    /// Slots in which a price was fetched.
    fetched: Slots,
    /// Slots in which bars were fetched.
    bars_fetched: Slots,
    /// Slots that a series of bars spans.
    spanned: Slots,
    unreadable: Slots,
    /// When a price was first fetched, and when bars were, in microseconds since 1970.
    first_fetched: Option<i64>,
    first_bars: Option<i64>,
    pub(crate) damaged: Damaged,
}

/// What the marks of a slot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) is_recorded: bool,
    pub(crate) has_bar: bool,
    pub(crate) has_late: bool,
    pub(crate) is_polled: bool,
    pub(crate) is_damaged: bool,
}

impl Seen {
    fn new(grid: &Grid) -> Self {
        let none = || Slots::none(grid.count);
        Self {
            symbol: None,
            subject: None,
            sources: BTreeSet::new(),
            is_traded: false,
            is_daily: false,
            begins: 0,
            ticked: none(),
            barred: none(),
            late: none(),
            fetched: none(),
            bars_fetched: none(),
            spanned: none(),
            unreadable: none(),
            first_fetched: None,
            first_bars: None,
            damaged: Damaged::default(),
        }
    }

    /// Whether the topic's own records are bars. Bars among prices are of a backfill.
    fn has_only_bars(&self) -> bool {
        self.first_fetched.is_none()
    }

    /// The slots in which its poller fetched something.
    pub(crate) fn polled(&self) -> &Slots {
        match self.has_only_bars() {
            true => &self.bars_fetched,
            false => &self.fetched,
        }
    }

    pub(crate) fn marks(&self, slot: usize) -> Marks {
        let (has_bar, is_own) = (self.barred.has(slot), self.has_only_bars());
        Marks {
            is_recorded: self.ticked.has(slot) || has_bar && is_own,
            has_bar,
            has_late: self.late.has(slot),
            is_polled: self.polled().has(slot) || self.spanned.has(slot),
            is_damaged: self.unreadable.has(slot),
        }
    }
}

/// Reads what bronze has of a symbol's slots: what was fetched in time, and where that leaves a slot open, what came
/// later, up to `now` in microseconds since 1970. `None` if the symbol was first recorded later.
pub(crate) async fn look(
    store: &(impl Get + List),
    layout: &Layout,
    of: &Of,
    now: i64,
    is_open: impl Fn(&Seen, usize) -> bool,
) -> Result<Option<Seen>, StoreError> {
    let Some((first, begins_at)) = first(store, layout, (&of.topic, &of.symbol)).await? else {
        return Ok(None);
    };
    let bucket = layout.granularity().bucket_ms() * 1_000;
    let Grid { count, .. } = of.grid;
    let (from, to) = (of.grid.from - of.rules.ahead, of.grid.to());
    let in_time = to.saturating_add(of.rules.lateness);
    if begins_at >= in_time {
        return Ok(None);
    }
    let mut seen = Seen::new(&of.grid);
    let mut reader = Reader::new(&of.name, of.rules);
    for key in objects(store, layout, (&of.topic, &of.symbol), (from, in_time)).await? {
        take(store, layout, of, &key, (&mut reader, &mut seen)).await?;
    }
    if begins_at + bucket > of.grid.from {
        let begins = match seen.has_only_bars() {
            true => seen.first_bars,
            false => seen.first_fetched,
        };
        // An object that can't be read does not say when.
        let begins = begins.unwrap_or(begins_at);
        if begins >= to {
            return Ok(None);
        }
        seen.begins = of.grid.slot(begins).unwrap_or(0);
    }
    if seen.subject.is_none() {
        // Nothing of the range was recorded: what it is says its first object.
        let mut elsewhere = Seen::new(&of.grid);
        take(store, layout, of, &first, (&mut reader, &mut elsewhere)).await?;
        seen.know(&reader);
        (seen.is_traded, seen.is_daily) = (elsewhere.is_traded, elsewhere.is_daily);
    }
    if now > in_time && (0..count).any(|slot| is_open(&seen, slot)) {
        for key in objects(store, layout, (&of.topic, &of.symbol), (in_time, now)).await? {
            take(store, layout, of, &key, (&mut reader, &mut seen)).await?;
        }
    }
    Ok(Some(seen))
}

/// Reads an object's lines into the marks.
async fn take(
    store: &impl Get,
    layout: &Layout,
    of: &Of,
    key: &ObjectKey,
    (reader, seen): (&mut Reader, &mut Seen),
) -> Result<(), StoreError> {
    let object = match read(store, key).await? {
        Reading::Whole(object) => object,
        Reading::Gone => return Ok(()),
        Reading::Damaged(error) => {
            seen.damage(layout, of, key, &error);
            return Ok(());
        }
    };
    let body = match layout.unpack(&object.body) {
        Ok(body) => body,
        Err(damage) => {
            seen.damage(layout, of, key, &damage);
            return Ok(());
        }
    };
    let mut lines = Lines::default();
    let mut damage = None;
    for line in body.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        match reader.read(line, &mut lines) {
            Ok(aside) => seen.add(of, line, &lines, aside),
            Err(error) => {
                damage.get_or_insert(error);
            }
        }
        lines.observed.clear();
        lines.days.clear();
    }
    if let Some(damage) = damage {
        seen.damage(layout, of, key, &damage);
    }
    seen.know(reader);
    Ok(())
}

impl Seen {
    fn know(&mut self, reader: &Reader) {
        self.symbol = reader.symbol().map(str::to_owned);
        let subjects = reader.subjects();
        let sources = subjects.iter().filter_map(|subject| subject.source.clone());
        self.sources.extend(sources);
        // What a record without `meta` says is less than what others say.
        let told = subjects.iter().rfind(|subject| subject.source.is_some());
        self.subject = told.or(subjects.last()).cloned();
    }

    fn add(&mut self, of: &Of, line: &[u8], lines: &Lines, aside: Option<Aside>) {
        let Of { grid, rules, .. } = of;
        let mut span: Option<(i64, i64)> = None;
        for one in &lines.observed {
            self.observe(grid, rules, one);
            if matches!(one.said, Said::Bar { .. }) {
                let (from, to) = span.unwrap_or((one.event_time, one.event_time));
                span = Some((from.min(one.event_time), to.max(one.event_time)));
            }
        }
        if let Some((from, to)) = span {
            self.spanned.mark_span(grid, from, to + MINUTE);
        }
        self.is_daily |= !lines.days.is_empty();
        for day in &lines.days {
            // A day has no minutes of its own: what counts is that it was fetched.
            self.ticked.mark_time(grid, day.fetched_at);
            self.fetch(grid, day.fetched_at);
        }
        let Some(aside) = aside else {
            return;
        };
        if let Ok(line) = read_line(Version::CURRENT, line) {
            let fetched_at = line.time.as_microsecond();
            self.fetch(grid, fetched_at);
            if aside == Aside::NoEventTime {
                self.ticked.mark_time(grid, fetched_at);
            }
        }
    }

    fn fetch(&mut self, grid: &Grid, time: i64) {
        self.fetched.mark_time(grid, time);
        self.first_fetched = Some(self.first_fetched.map_or(time, |first| first.min(time)));
    }

    fn observe(&mut self, grid: &Grid, rules: &Rules, one: &Observed) {
        match one.said {
            Said::Bar { .. } => {
                self.barred.mark_time(grid, one.event_time);
                self.bars_fetched.mark_time(grid, one.fetched_at);
                let (time, first) = (one.fetched_at, self.first_bars);
                self.first_bars = Some(first.map_or(time, |first| first.min(time)));
            }
            Said::Trade { .. } | Said::Quote { .. } => {
                self.is_traded |= matches!(one.said, Said::Trade { .. });
                self.fetch(grid, one.fetched_at);
                match one.age() <= rules.lateness {
                    true => self.ticked.mark_time(grid, one.event_time),
                    false => self.late.mark_time(grid, one.event_time),
                }
            }
        }
    }

    fn damage(&mut self, layout: &Layout, of: &Of, key: &ObjectKey, cause: &dyn std::fmt::Display) {
        self.damaged.add(key, cause);
        if let Some(from) = bucket(layout, key) {
            let to = from + layout.granularity().bucket_ms() * 1_000;
            self.unreadable.mark_span(&of.grid, from, to);
        }
    }
}
