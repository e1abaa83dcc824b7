//! Looking at the topics that are selected, one after the other.

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

use super::{
    GapsError, LogsRead, Outcome, Selection, TopicGaps,
    aside::Asides,
    logs::Logs,
    sessions::Markets,
    slots::Grid,
    topic::{Topic, open_slots},
};
use crate::roll::progress::Progress;

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
        logs: logs.map(|folder| LogsRead {
            folder,
            metrics: read.metrics,
            failures: read.failures,
        }),
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
