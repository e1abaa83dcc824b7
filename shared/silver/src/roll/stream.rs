//! Bronze objects, read in order and folded hour by hour, so that memory holds a few hours and not the range.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use lake::{ObjectKey, store::Get};
use market::bars::{
    Aside, Bar, Bases, HOUR, Lines, MINUTE, Observed, ProviderDay, Rules, Said, minutes,
};

use super::{
    RollError,
    attempt::Scope,
    held::Held,
    inputs::Inputs,
    lines::{Fetched, SymbolReader, fetch},
};

/// Objects that are fetched ahead of the one that is read.
const AHEAD: usize = 4;

/// What was read, and the bars of it.
#[derive(Default)]
pub(crate) struct Folded {
    pub(crate) hours: BTreeMap<i64, OfHour>,
    pub(crate) days: Vec<ProviderDay>,
    pub(crate) objects: usize,
    pub(crate) lines: u64,
    pub(crate) asides: BTreeMap<Aside, u64>,
    pub(crate) damaged: BTreeMap<ObjectKey, String>,
    /// Hours beyond the scope of which late records have come.
    pub(crate) older: BTreeSet<i64>,
    read: HashSet<usize>,
    /// The objects beyond each hour that it was folded with because they may have had something new.
    tried: HashSet<(i64, usize)>,
}

/// An hour's bars.
#[derive(Default)]
pub(crate) struct OfHour {
    pub(crate) bars: Vec<Bar>,
    /// The objects beyond the hour's own time that have late observations of it.
    pub(crate) late: Vec<String>,
    /// A digest of the versions that were read.
    pub(crate) versions: String,
}

/// Folds the hours `stale` again, then those of which they turned out to hold late records.
pub(crate) async fn fold(
    store: &impl Get,
    bronze: &lake::Layout,
    (reader, rules): (&mut SymbolReader<'_>, Rules),
    (inputs, held, scope): (&mut Inputs, &Held, Scope<'_>),
    stale: BTreeSet<i64>,
) -> Result<Folded, RollError> {
    let mut folded = Folded::default();
    let late = |hour: &i64| (*hour, held.late(*hour).to_vec());
    let mut pass: BTreeMap<i64, Vec<String>> = stale.iter().map(late).collect();
    while !pass.is_empty() {
        let mut one = Pass::of(pass, inputs, rules);
        one.run(store, bronze, inputs, (reader, &mut folded))
            .await?;
        pass = one.found_late(bronze, inputs, (held, scope), &mut folded);
    }
    Ok(folded)
}

/// One reading of the objects of some hours.
struct Pass {
    rules: Rules,
    /// The objects of each hour that are still to be read, and those beyond its own time.
    open: BTreeMap<i64, Open>,
    /// The objects to read, each with its hours.
    objects: BTreeMap<usize, Vec<i64>>,
    /// What was read of hours that the object is beyond.
    beyond: HashSet<Beyond>,
}

struct Open {
    left: usize,
    observed: Vec<Observed>,
    late: Vec<String>,
    /// The coordinates of what each object of `late` has of the hour.
    of_late: BTreeMap<String, HashSet<(i32, i64)>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Beyond {
    /// Of a provider's bar its minute.
    event_time: i64,
    /// Of a provider's bar `None`: its versions are told apart otherwise.
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
            open.insert(
                hour,
                Open {
                    left,
                    observed: Vec::new(),
                    late,
                    of_late: BTreeMap::new(),
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
        (reader, folded): (&mut SymbolReader<'_>, &mut Folded),
    ) -> Result<(), RollError> {
        // Hours without an object: what they had is gone.
        let empty = self.open.iter().filter(|(_, open)| open.left == 0);
        let empty: Vec<i64> = empty.map(|(hour, _)| *hour).collect();
        for hour in empty {
            self.close(hour, inputs, reader, folded);
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
                Fetched::Lines(lines, version) => {
                    inputs.set_version(at, version);
                    self.read((at, &hours), inputs, (&key, &lines), (reader, folded));
                }
                Fetched::Damaged(reason, version) => {
                    if let Some(version) = version {
                        inputs.set_version(at, version);
                    }
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
                    self.close(hour, inputs, reader, folded);
                }
            }
        }
        Ok(())
    }

    fn read(
        &mut self,
        (at, hours): (usize, &[i64]),
        inputs: &Inputs,
        (key, body): (&ObjectKey, &Bytes),
        (reader, folded): (&mut SymbolReader<'_>, &mut Folded),
    ) {
        let is_first = folded.read.insert(at);
        let mut lines = Lines::default();
        let damage = reader.read(body, &mut lines, |aside| {
            folded.lines += u64::from(is_first);
            if let Some(aside) = aside.filter(|_| is_first) {
                *folded.asides.entry(aside).or_default() += 1;
            }
        });
        if let Some(damage) = damage {
            folded.damaged.insert(key.clone(), damage);
        }
        if is_first {
            folded.objects += 1;
            folded.days.append(&mut lines.days);
        }
        for one in lines.observed {
            let hour = one.event_time - one.event_time.rem_euclid(HOUR);
            let is_beyond = inputs.is_beyond(at, hour);
            let open = self.open.get_mut(&hour).filter(|_| hours.contains(&hour));
            if let Some(open) = open {
                if is_beyond {
                    let of_late = open.of_late.entry(key.as_str().to_owned());
                    of_late.or_default().insert((one.partition, one.offset));
                }
                open.observed.push(one);
            } else if is_beyond {
                let is_bar = matches!(one.said, Said::Bar { .. });
                self.beyond.insert(Beyond {
                    event_time: one.event_time,
                    event_id: one.event_id.filter(|_| !is_bar),
                    is_bar,
                    object: at,
                });
            }
            // Else it is of an hour of which nothing changed.
        }
    }

    fn close(
        &mut self,
        hour: i64,
        inputs: &Inputs,
        reader: &SymbolReader<'_>,
        folded: &mut Folded,
    ) {
        let Some(mut open) = self.open.remove(&hour) else {
            return;
        };
        let bars = minutes(&mut open.observed, reader.subjects(), &self.rules);
        // What is left is the first record of each observation. An object of nothing but repeats is none that the bars follow from.
        let mut late = open.late;
        if !open.of_late.is_empty() {
            let first = open.observed.iter().map(|one| (one.partition, one.offset));
            let first: HashSet<_> = first.collect();
            open.of_late
                .retain(|_, records| !records.is_disjoint(&first));
        }
        late.retain(|key| open.of_late.contains_key(key) || is_damaged(folded, key));
        let versions = inputs.versions(hour, &late);
        let of_hour = OfHour {
            bars,
            late,
            versions,
        };
        folded.hours.insert(hour, of_hour);
    }

    /// The hours of which objects beyond have something new, with all such objects.
    fn found_late(
        self,
        bronze: &lake::Layout,
        inputs: &Inputs,
        (held, scope): (&Held, Scope<'_>),
        folded: &mut Folded,
    ) -> BTreeMap<i64, Vec<String>> {
        let mut found: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for beyond in self.beyond {
            let start = beyond.event_time - beyond.event_time.rem_euclid(MINUTE);
            let hour = start - start.rem_euclid(HOUR);
            let of_hour = folded.hours.get(&hour);
            let late = of_hour.map_or(held.late(hour), |of_hour| &of_hour.late);
            let minute = match of_hour {
                Some(of_hour) => of_hour.bars.iter().find(|bar| bar.start == start),
                None => held.minute(start),
            };
            let is_known = minute.is_some_and(|bar| match beyond.is_bar {
                // A version that was fetched later counts nowhere.
                true => {
                    bar.prices.is_some()
                        && (bar.basis != Bases::PROVIDER
                            || inputs.is_after(beyond.object, bronze, late))
                }
                // A closed market repeats its last price for days.
                false => {
                    bar.close_event_id.is_some()
                        && bar.close_event_id == beyond.event_id
                        && bar.last_event_time == Some(beyond.event_time)
                }
            });
            if is_known {
                continue;
            }
            if !scope.has(hour) {
                folded.older.insert(hour);
                continue;
            }
            // Its other objects have expired, and a bar of this one alone would be wrong.
            if held.is_kept_without(hour, inputs.left_of(hour, held.late(hour))) {
                continue;
            }
            let key = inputs.get(beyond.object).key.as_str();
            // An hour of the scope has been folded with it as it is.
            if late.iter().any(|known| known == key) || !folded.tried.insert((hour, beyond.object))
            {
                continue;
            }
            let keys = found.entry(hour).or_insert_with(|| late.to_vec());
            keys.push(key.to_owned());
        }
        for keys in found.values_mut() {
            keys.sort_unstable();
        }
        found
    }
}

fn is_damaged(folded: &Folded, key: &str) -> bool {
    folded.damaged.contains_key(&ObjectKey::new(key))
}
