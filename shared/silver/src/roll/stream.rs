//! Bronze objects, read in order and folded hour by hour, so that memory holds a few hours and not the range.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use lake::{
    ObjectKey,
    store::{ETag, Get, StoreError},
};
use market::bars::{
    Aside, Bar, HOUR, Lines, MINUTE, Observed, ProviderDay, Reader, Rules, Said, minutes,
};

use super::{RollError, held::Held, inputs::Inputs};

/// Objects that are fetched ahead of the one that is read.
const AHEAD: usize = 4;

/// What was read, and the bars of it.
#[derive(Default)]
pub(crate) struct Folded {
    pub(crate) hours: BTreeMap<i64, OfHour>,
    pub(crate) symbol: Option<String>,
    pub(crate) days: Vec<ProviderDay>,
    pub(crate) objects: usize,
    pub(crate) lines: u64,
    pub(crate) asides: BTreeMap<Aside, u64>,
    pub(crate) damaged: BTreeMap<ObjectKey, String>,
    /// Hours of which late records have come, and whose files were not read.
    pub(crate) older: BTreeSet<i64>,
    read: HashSet<usize>,
}

/// An hour's bars.
#[derive(Default)]
pub(crate) struct OfHour {
    pub(crate) bars: Vec<Bar>,
    /// The objects beyond the hour's own time that have late observations of it.
    pub(crate) late: Vec<String>,
}

/// Folds the hours `stale` again, then those of which they turned out to hold late records.
pub(crate) async fn fold(
    store: &impl Get,
    bronze: &lake::Layout,
    (topic, rules): (&str, Rules),
    (inputs, held): (&mut Inputs, &Held),
    stale: BTreeSet<i64>,
) -> Result<(Folded, Reader), RollError> {
    let mut folded = Folded::default();
    let mut reader = Reader::new(&lake::spelled_text(bronze.version(), topic), rules);
    let late = |hour: &i64| (*hour, held.late(*hour).to_vec());
    let mut pass: BTreeMap<i64, Vec<String>> = stale.iter().map(late).collect();
    while !pass.is_empty() {
        let mut one = Pass::of(pass, inputs, rules);
        one.run(store, bronze, inputs, (&mut reader, &mut folded))
            .await?;
        pass = one.found_late(inputs, held, &mut folded);
    }
    folded.symbol = reader.symbol().map(str::to_owned);
    Ok((folded, reader))
}

/// One reading of the objects of some hours.
struct Pass {
    rules: Rules,
    /// The objects of each hour that are still to be read, and those beyond its own time.
    open: BTreeMap<i64, Open>,
    /// The objects to read, each with its hours.
    objects: BTreeMap<usize, Vec<i64>>,
    /// What was read of hours that the object is beyond: by minute and identity, with the object.
    beyond: HashSet<Beyond>,
}

struct Open {
    left: usize,
    observed: Vec<Observed>,
    late: Vec<String>,
}

#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Beyond {
    minute: i64,
    event_id: Option<u128>,
    is_bar: bool,
    object: usize,
}

impl Pass {
    fn of(hours: BTreeMap<i64, Vec<String>>, inputs: &Inputs, rules: Rules) -> Self {
        let mut objects: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        let mut open = BTreeMap::new();
        for (hour, late) in hours {
            let of_hour = inputs.of_hour_and(hour, &late);
            for &at in &of_hour {
                objects.entry(at).or_default().push(hour);
            }
            let left = of_hour.len();
            let observed = Vec::new();
            open.insert(
                hour,
                Open {
                    left,
                    observed,
                    late,
                },
            );
        }
        Self {
            rules,
            open,
            objects,
            beyond: HashSet::new(),
        }
    }

    async fn run(
        &mut self,
        store: &impl Get,
        bronze: &lake::Layout,
        inputs: &mut Inputs,
        (reader, folded): (&mut Reader, &mut Folded),
    ) -> Result<(), RollError> {
        // Hours without an object: what they had is gone.
        let empty: Vec<i64> = self
            .open
            .iter()
            .filter(|(_, open)| open.left == 0)
            .map(|(hour, _)| *hour)
            .collect();
        for hour in empty {
            self.close(hour, reader, folded);
        }
        let objects = std::mem::take(&mut self.objects);
        let fetching: Vec<_> = objects
            .into_iter()
            .map(|(at, hours)| (at, hours, inputs.get(at).key.clone()))
            .collect();
        let fetching = fetching.into_iter().map(async |(at, hours, key)| {
            let fetched = fetch(store, bronze, &key).await?;
            Ok::<_, RollError>((at, hours, key, fetched))
        });
        let mut fetched = stream::iter(fetching).buffered(AHEAD);
        while let Some((at, hours, key, fetched)) = fetched.try_next().await? {
            match fetched {
                Ok((lines, etag)) => {
                    inputs.set_version(at, etag);
                    self.read(at, &hours, (&key, &lines), (reader, folded));
                }
                Err(reason) => {
                    folded.damaged.insert(key, reason);
                }
            }
            for hour in hours {
                let open = self.open.get_mut(&hour);
                let is_read = open.is_some_and(|open| {
                    open.left -= 1;
                    open.left == 0
                });
                if is_read {
                    self.close(hour, reader, folded);
                }
            }
        }
        Ok(())
    }

    fn read(
        &mut self,
        at: usize,
        hours: &[i64],
        (key, body): (&ObjectKey, &Bytes),
        (reader, folded): (&mut Reader, &mut Folded),
    ) {
        let is_first = folded.read.insert(at);
        let mut lines = Lines::default();
        for (number, line) in body.split(|&byte| byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let aside = match reader.read(line, &mut lines) {
                Ok(aside) => aside,
                Err(error) => {
                    let damaged = folded.damaged.entry(key.clone());
                    damaged.or_insert_with(|| format!("line {}: {error}", number + 1));
                    continue;
                }
            };
            folded.lines += u64::from(is_first);
            if let Some(aside) = aside.filter(|_| is_first) {
                *folded.asides.entry(aside).or_default() += 1;
            }
        }
        folded.objects += usize::from(is_first);
        if is_first {
            folded.days.append(&mut lines.days);
        }
        for one in lines.observed {
            let hour = one.event_time - one.event_time.rem_euclid(HOUR);
            let open = self.open.get_mut(&hour).filter(|_| hours.contains(&hour));
            if let Some(open) = open {
                open.observed.push(one);
            } else if self.is_beyond(&one, hour) {
                self.beyond.insert(Beyond {
                    minute: one.event_time - one.event_time.rem_euclid(MINUTE),
                    event_id: one.event_id,
                    is_bar: matches!(one.said, Said::Bar { .. }),
                    object: at,
                });
            }
            // Else it is of an hour of which nothing changed.
        }
    }

    /// Whether the record's object is none of its hour's.
    fn is_beyond(&self, one: &Observed, hour: i64) -> bool {
        one.fetched_at >= hour + HOUR + self.rules.lateness
    }

    fn close(&mut self, hour: i64, reader: &Reader, folded: &mut Folded) {
        let Some(mut open) = self.open.remove(&hour) else {
            return;
        };
        let bars = minutes(&mut open.observed, reader.subjects(), &self.rules);
        let late = open.late;
        folded.hours.insert(hour, OfHour { bars, late });
    }

    /// The hours of which objects beyond have something new, with all such objects.
    fn found_late(
        self,
        inputs: &Inputs,
        held: &Held,
        folded: &mut Folded,
    ) -> BTreeMap<i64, Vec<String>> {
        let mut found: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for beyond in self.beyond {
            let hour = beyond.minute - beyond.minute.rem_euclid(HOUR);
            if !held.knows_minute(beyond.minute) {
                folded.older.insert(hour);
                continue;
            }
            let of_hour = folded.hours.get(&hour);
            let minute = match of_hour {
                Some(of_hour) => of_hour.bars.iter().find(|bar| bar.start == beyond.minute),
                None => held.minute(beyond.minute),
            };
            let is_known = minute.is_some_and(|bar| match beyond.is_bar {
                true => bar.prices.is_some(),
                // A closed market repeats its last price for days.
                false => bar.close_event_id.is_some() && bar.close_event_id == beyond.event_id,
            });
            let late = of_hour.map_or(held.late(hour), |of_hour| &of_hour.late);
            let key = inputs.get(beyond.object).key.as_str();
            if is_known || late.iter().any(|known| known == key) {
                continue;
            }
            let keys = found.entry(hour).or_insert_with(|| late.to_vec());
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
        }
        for keys in found.values_mut() {
            keys.sort_unstable();
        }
        found
    }
}

/// The object's lines and version; the reason if it is damaged.
pub(crate) async fn fetch(
    store: &impl Get,
    bronze: &lake::Layout,
    key: &ObjectKey,
) -> Result<Result<(Bytes, ETag), String>, RollError> {
    match store.get(key).await {
        Ok(object) => Ok(match bronze.unpack(&object.body) {
            Ok(lines) => Ok((lines, object.etag)),
            Err(damage) => Err(damage.to_string()),
        }),
        Err(error @ (StoreError::Corrupt { .. } | StoreError::TooLarge { .. })) => {
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}
