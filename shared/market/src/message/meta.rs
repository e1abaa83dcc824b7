use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{Schema, time};
use crate::{AssetClass, Flag, Mic, Observation, Said, Session, TradingTime, event_id, flags};

/// What every message says of itself and of its instrument.
///
/// Members that may be null may also be absent. Times are RFC 3339 in UTC with milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The provider: `finnhub`, `vci`.
    pub source: String,
    /// The shape of the message and its version.
    pub schema: Schema,
    /// Equal for equal observations: 32 hexadecimal digits.
    pub event_id: String,
    /// The canonical symbol: `AAPL`, `BTC/USDT`, `FPT`.
    pub symbol: String,
    /// The kind of instrument.
    pub asset_class: Option<Term<AssetClass>>,
    /// The exchange.
    pub mic: Option<Mic>,
    /// The currency or asset that prices are in.
    pub currency: Option<String>,
    /// The market's session when this was fetched.
    pub session: Option<Term<Session>>,
    /// The trading day that the price belongs to, in the exchange's own zone.
    pub trading_date: Option<Date>,
    /// When the price was made; null where the provider does not say.
    #[serde(default, with = "time::option")]
    pub event_time: Option<Timestamp>,
    /// When the answer arrived.
    #[serde(with = "time")]
    pub fetched_at: Timestamp,
    /// Milliseconds from the event to the fetch; negative if the provider's clock is ahead.
    pub age_ms: Option<i64>,
    /// Everything odd about it.
    #[serde(default)]
    pub flags: Vec<Term<Flag>>,
}

/// A word of a vocabulary. A newer writer may use a word that this program does not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Term<T> {
    /// A word with a meaning here.
    Known(T),
    /// Any other, as it was written.
    Other(String),
}

impl<T> Term<T> {
    /// The meaning, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(meaning) => Some(meaning),
            Self::Other(_) => None,
        }
    }
}

impl Meta {
    pub(super) fn new<T: Said>(
        schema: Schema,
        observation: &Observation<T>,
        repeated: bool,
    ) -> Self {
        let instrument = &observation.instrument;
        let calendar = instrument.calendar;
        let fetched = calendar.map(|calendar| calendar.at(observation.fetched_at));
        let event_time = observation.said.event_time();
        let flags = flags(observation, fetched.as_ref(), repeated);
        Self {
            source: observation.source.to_owned(),
            schema,
            event_id: event_id(observation),
            symbol: instrument.canonical.clone(),
            asset_class: instrument.asset_class.map(Term::Known),
            mic: instrument.mic,
            currency: instrument.currency.as_deref().map(str::to_owned),
            session: fetched.map(|TradingTime { session, .. }| Term::Known(session)),
            trading_date: observation.trading_date(),
            event_time,
            fetched_at: observation.fetched_at,
            age_ms: event_time
                .map(|event| observation.fetched_at.as_millisecond() - event.as_millisecond()),
            flags: flags.into_iter().map(Term::Known).collect(),
        }
    }
}
