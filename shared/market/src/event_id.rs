use sha2::{Digest, Sha256};

use crate::{Observation, Said};

/// The id of an observation: the same one has the same id, however often it is fetched.
///
/// The first 32 lower-case hex digits of the SHA-256 of these lines in UTF-8, each followed by a line
/// feed: the source, the symbol, the event time in epoch milliseconds or, where the provider gives none, the
/// [trading date](Observation::trading_date) (empty without either), then [every number as sent](Said::digits). Two trades that agree in all of these share an id: Finnhub
/// numbers none.
pub fn event_id<T: Said>(observation: &Observation<T>) -> String {
    let mut hash = Sha256::new();
    let mut line = |text: &str| {
        hash.update(text);
        hash.update("\n");
    };
    line(observation.source);
    line(observation.instrument.symbol.as_str());
    let time = observation.said.event_time();
    let time = time.map(|time| time.as_millisecond().to_string());
    let date = || observation.trading_date().map(|date| date.to_string());
    line(&time.or_else(date).unwrap_or_default());
    for number in observation.said.digits() {
        line(&number);
    }
    let id = hash
        .finalize()
        .iter()
        .take(16)
        .fold(0_u128, |id, byte| (id << 8) | u128::from(*byte));
    format!("{id:032x}")
}
