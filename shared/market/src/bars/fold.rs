use jiff::civil::Date;

use super::{Amount, Bar, Bases, MINUTE, Observed, Prices, Rules, Said, Subject};

/// The minute bars of one symbol's records, in order.
///
/// The records may come in any order and be there many times. They are sorted, and `subjects` has what they are of. `complete` is
/// left `false`.
pub fn minutes(observed: &mut Vec<Observed>, subjects: &[Subject], rules: &Rules) -> Vec<Bar> {
    observed.sort_unstable_by(|a, b| a.place().cmp(&b.place()).then_with(|| a.said.cmp(&b.said)));
    // Of one observation the first fetched record is in front.
    observed.dedup_by(|next, kept| next.is_same_observation(kept));
    observed
        .chunk_by_mut(|a, b| a.event_time.div_euclid(MINUTE) == b.event_time.div_euclid(MINUTE))
        .map(|of_minute| minute(of_minute, subjects, rules))
        .collect()
}

/// An `event_id`, or else the coordinates of a record.
type Identity = (Option<u128>, i32, i64);

impl Observed {
    /// Where it is sorted: by minute, ticks before bars, and the records of an observation together.
    fn place(&self) -> (i64, bool, Identity, i64, (i64, i32, i64)) {
        let identity = match self.event_id {
            Some(id) => (Some(id), 0, 0),
            None => (None, self.partition, self.offset),
        };
        let minute = self.event_time.div_euclid(MINUTE);
        (
            minute,
            self.is_bar(),
            identity,
            self.event_time,
            self.precedence(),
        )
    }

    fn is_bar(&self) -> bool {
        matches!(self.said, Said::Bar { .. })
    }

    /// A provider's bar is never the same as another version of it.
    fn is_same_observation(&self, other: &Self) -> bool {
        let is_same_record = (self.partition, self.offset) == (other.partition, other.offset);
        let is_same = match self.event_id {
            Some(id) if !self.is_bar() => other.event_id == Some(id),
            _ => is_same_record && self.event_id == other.event_id,
        };
        is_same && self.event_time == other.event_time && self.is_bar() == other.is_bar()
    }
}

fn minute(observed: &mut [Observed], subjects: &[Subject], rules: &Rules) -> Bar {
    let ticks = observed.partition_point(|one| !one.is_bar());
    let (ticks, versions) = observed.split_at_mut(ticks);
    ticks.sort_unstable_by_key(|one| (one.event_time, one.partition, one.offset));
    let start = ticks
        .first()
        .or(versions.first())
        .map_or(0, |one| one.event_time);
    let start = start - start.rem_euclid(MINUTE);

    let late = ticks
        .iter()
        .filter(|one| one.age() > rules.lateness)
        .count();
    let in_time = |one: &&Observed| one.age() <= rules.lateness;
    let has_trades = ticks
        .iter()
        .filter(in_time)
        .any(|one| matches!(one.said, Said::Trade { .. }));
    let counted = ticks
        .iter()
        .filter(in_time)
        .filter(|one| matches!(one.said, Said::Trade { .. }) == has_trades);
    let mut bar = Bar {
        late: i64::try_from(late).unwrap_or(i64::MAX),
        ..Bar::empty(start, start + MINUTE, Date::MIN)
    };
    let mut closing: Option<&Observed> = None;
    for one in counted {
        bar.add(one);
        bar.add_source(closing.is_some(), one, subjects);
        closing = Some(one);
    }
    let closing = closing.or_else(|| {
        let version = version(versions, (start + MINUTE).saturating_add(rules.lateness))?;
        bar.take(version);
        Some(version)
    });
    // Late ones alone still say what the bar is of.
    let last = closing.or(ticks.last());
    if let Some(last) = last {
        let source = bar.subject.source.take();
        bar.subject = subject(subjects, last.subject);
        if closing.is_some() && source.is_some() {
            bar.subject.source = source;
        }
        if closing.is_none() {
            bar.basis = last.basis();
        }
        bar.trading_date = bar.subject.zone.date(start);
    }
    bar
}

/// The version of a provider's bar that counts: the last that was fetched before `until`, when the minute's last tick would be late,
/// else the first after.
fn version(versions: &[Observed], until: i64) -> Option<&Observed> {
    let in_time = versions.iter().filter(|one| one.fetched_at < until);
    let last = in_time.max_by_key(|one| one.precedence());
    last.or_else(|| versions.iter().min_by_key(|one| one.precedence()))
}

fn subject(subjects: &[Subject], index: u32) -> Subject {
    let found = usize::try_from(index)
        .ok()
        .and_then(|index| subjects.get(index));
    found.cloned().unwrap_or_default()
}

impl Observed {
    fn basis(&self) -> Bases {
        match self.said {
            Said::Trade { .. } => Bases::TRADE,
            Said::Quote { .. } => Bases::QUOTE,
            Said::Bar { .. } => Bases::PROVIDER,
        }
    }
}

impl Bar {
    /// The next price in order of the event.
    fn add(&mut self, one: &Observed) {
        let price = match one.said {
            Said::Trade { price, size } => {
                self.add_trade(price, size);
                price
            }
            Said::Quote {
                price,
                session_volume,
            } => {
                self.session_volume = session_volume.or(self.session_volume);
                price
            }
            Said::Bar { .. } => return,
        };
        self.basis = self.basis.and(one.basis());
        self.ticks += 1;
        self.price_sum = self.price_sum.and_then(|sum| sum.checked_add(price));
        let prices = self.prices.get_or_insert(Prices {
            open: price,
            high: price,
            low: price,
            close: price,
        });
        prices.high = prices.high.max(price);
        prices.low = prices.low.min(price);
        prices.close = price;
        self.first_event_time.get_or_insert(one.event_time);
        self.last_event_time = Some(one.event_time);
        self.close_event_id = one.event_id;
    }

    fn add_trade(&mut self, price: Amount, size: Amount) {
        if self.ticks == 0 {
            (self.volume, self.quote_volume) = (Some(Amount::ZERO), Some(Amount::ZERO));
            self.trades = Some(0);
        }
        self.volume = self.volume.and_then(|volume| volume.checked_add(size));
        let traded = price.checked_mul(size);
        let sum = self.quote_volume.zip(traded);
        self.quote_volume = sum.and_then(|(sum, traded)| sum.checked_add(traded));
        self.trades = self
            .trades
            .map(|trades| trades + i64::from(size != Amount::ZERO));
    }

    fn add_source(&mut self, has_one: bool, one: &Observed, subjects: &[Subject]) {
        let index = usize::try_from(one.subject).ok();
        let Some(subject) = index.and_then(|index| subjects.get(index)) else {
            return;
        };
        match has_one {
            true => self.subject.add_source(subject),
            false => self.subject.source.clone_from(&subject.source),
        }
    }

    /// The bar as the provider has made it.
    fn take(&mut self, version: &Observed) {
        let Said::Bar {
            open,
            high,
            low,
            close,
            volume,
        } = version.said
        else {
            return;
        };
        self.prices = Some(Prices {
            open,
            high,
            low,
            close,
        });
        self.volume = Some(volume);
        self.basis = Bases::PROVIDER;
        self.close_event_id = version.event_id;
    }
}
