//! The shares of HOSE, HNX and UPCOM from several brokers: what one does not answer, the next is asked.
//!
//! The brokers' interfaces are private, and any of them may be gone tomorrow. Here is also what they have in
//! common: the shape of a price board, local time, intervals of bars.

pub(crate) mod board;
pub(crate) mod broker;
pub(crate) mod interval;
pub(crate) mod local;

use std::{sync::Arc, time::Duration};

use market::Calendar;
use settings::{Absent, Form, Setting, SettingError};

use crate::{Feed, FeedError, FeedSettings, Open, dnse, fallback::Fallback, kbs, vci};

/// The brokers by name.
const SOURCES: [(&str, Open); 3] = [("vci", vci::open), ("kbs", kbs::open), ("dnse", dnse::open)];

/// The settings of this feed, beside those of the brokers.
pub const SETTINGS: &[Setting] = &[SOURCES_SETTING];

const SOURCES_SETTING: Setting = Setting::new(
    "VIETNAM_SOURCES",
    Absent::Is("vci,kbs,dnse"),
    Form::Text {
        range: "of the three, comma-separated",
        expects: "some of vci,kbs,dnse, each once, separated by commas",
    },
    "the sources of the feed `vietnam`, in the order in which they are asked",
);

/// The brokers that `VIETNAM_SOURCES` names (`vci,kbs,dnse`), in that order, each with its own settings.
///
/// Each has its share of the time that is left: a third of it, then half, then all. An observation's source is the
/// broker that answered. Where nobody does, the error is that of the first that was asked. A broker without a
/// capability is not asked for it: VCI and KBS have board quotes and minute bars, VCI alone the listing.
///
/// # Errors
/// [`FeedError`] names the setting that is wrong.
pub fn open(settings: &FeedSettings) -> Result<Feed, FeedError> {
    let feeds = sources(settings)?
        .into_iter()
        .map(|open| open(settings))
        .collect::<Result<Vec<Feed>, FeedError>>()?;
    let quotes = Fallback::new(feeds.iter().filter_map(|feed| feed.quotes.clone()));
    let minute_bars = Fallback::new(feeds.iter().filter_map(|feed| feed.minute_bars.clone()));
    let daily_bars = Fallback::new(feeds.iter().filter_map(|feed| feed.daily_bars.clone()));
    let listing = Fallback::new(feeds.iter().filter_map(|feed| feed.listing.clone()));
    Ok(Feed {
        quotes: quotes.map(|quotes| Arc::new(quotes) as _),
        minute_bars: minute_bars.map(|bars| Arc::new(bars) as _),
        daily_bars: daily_bars.map(|bars| Arc::new(bars) as _),
        listing: listing.map(|listing| Arc::new(listing) as _),
        budgets: feeds.into_iter().flat_map(|feed| feed.budgets).collect(),
        ..Feed::new(Calendar::Hose, Duration::from_secs(10))
    })
}

fn sources(settings: &FeedSettings) -> Result<Vec<Open>, SettingError> {
    let value: String = settings.read(&SOURCES_SETTING)?;
    let mut named = Vec::new();
    for name in value.split(',').map(str::trim) {
        let source = SOURCES.iter().find(|(known, _)| *known == name);
        let wrong = |problem: &str| SOURCES_SETTING.refuse(&value, format!("'{name}' {problem}"));
        let source = source.ok_or_else(|| wrong("is no source"))?;
        if named.contains(&source) {
            return Err(wrong("is there twice"));
        }
        named.push(source);
    }
    Ok(named.into_iter().map(|(_, open)| *open).collect())
}

#[cfg(test)]
mod tests;
