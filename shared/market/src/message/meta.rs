use jiff::civil::Date;
use serde::Serialize;

use super::rfc3339;
use crate::{AssetClass, Flag, Mic, Observation, Said, Session, TradingTime, event_id, flags};

/// What every message says of itself and of its instrument.
#[derive(Serialize)]
pub(super) struct Meta<'a> {
    source: &'static str,
    /// The shape and its version.
    schema: &'static str,
    event_id: String,
    /// The canonical symbol.
    symbol: &'a str,
    asset_class: Option<AssetClass>,
    mic: Option<Mic>,
    currency: Option<&'a str>,
    /// The market's session when this was fetched.
    session: Option<Session>,
    /// The trading day that the price belongs to, in the exchange's own zone.
    trading_date: Option<Date>,
    event_time: Option<String>,
    fetched_at: String,
    /// Milliseconds from the event to the fetch; negative if the provider's clock is ahead.
    age_ms: Option<i64>,
    flags: Vec<Flag>,
}

impl<'a> Meta<'a> {
    pub(super) fn new<T: Said>(
        schema: &'static str,
        observation: &'a Observation<T>,
        repeated: bool,
    ) -> Self {
        let instrument = &observation.instrument;
        let calendar = instrument.calendar;
        let fetched = calendar.map(|calendar| calendar.at(observation.fetched_at));
        let event_time = observation.said.event_time();
        Self {
            source: observation.source,
            schema,
            event_id: event_id(observation),
            symbol: &instrument.canonical,
            asset_class: instrument.asset_class,
            mic: instrument.mic,
            currency: instrument.currency.as_deref(),
            session: fetched.map(|TradingTime { session, .. }| session),
            trading_date: observation.trading_date(),
            event_time: event_time.map(rfc3339),
            fetched_at: rfc3339(observation.fetched_at),
            age_ms: event_time
                .map(|event| observation.fetched_at.as_millisecond() - event.as_millisecond()),
            flags: flags(observation, fetched.as_ref(), repeated),
        }
    }
}
