//! Requests for many symbols at once: whatever the answer leaves out or garbles, each symbol has its outcome.

use std::collections::HashMap;

use market::{Observation, Symbol};
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};

use crate::{BodyError, FetchError, Polled, Sink, rota::Rota};

/// An item of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row<T, E = BodyError> {
    /// What it is of, if that much can be read.
    pub(crate) symbol: Option<Symbol>,
    /// What it holds, or what is wrong with it.
    pub(crate) content: Result<T, E>,
}

impl<T> Row<T> {
    /// The row with what `read` makes of its content.
    pub(crate) fn and_then<U>(self, read: impl FnOnce(T) -> Result<U, BodyError>) -> Row<U> {
        Row {
            symbol: self.symbol,
            content: self.content.and_then(read),
        }
    }

    /// The row with what `observe` makes of it; one without a symbol is bad.
    pub(crate) fn observed<U>(
        self,
        observe: impl FnOnce(Symbol, T) -> Result<U, FetchError>,
    ) -> Row<U, FetchError> {
        let content = match (&self.symbol, self.content) {
            (Some(symbol), Ok(content)) => observe(symbol.clone(), content),
            (None, Ok(_)) => Err(BodyError::Shape("a row names no symbol".to_owned()).into()),
            (_, Err(error)) => Err(error.into()),
        };
        Row {
            symbol: self.symbol,
            content,
        }
    }
}

/// The rows of a JSON array, each with its symbol at `pointer` (RFC 6901). A bad row costs no other.
///
/// # Errors
/// [`BodyError`] if the body is no JSON array.
pub(crate) fn rows<T: DeserializeOwned>(
    body: &[u8],
    pointer: &str,
) -> Result<Vec<Row<T>>, BodyError> {
    let items: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|error| BodyError::of(body, &error))?;
    let row = |item: &RawValue| Row {
        symbol: symbol(item, pointer),
        content: serde_json::from_str(item.get())
            .map_err(|error| BodyError::of(item.get().as_bytes(), &error)),
    };
    Ok(items.into_iter().map(row).collect())
}

fn symbol(item: &RawValue, pointer: &str) -> Option<Symbol> {
    let item: Value = serde_json::from_str(item.get()).ok()?;
    item.pointer(pointer)?.as_str()?.parse().ok()
}

/// Requests for so many symbols at most, one after the other, those first that have waited longest.
#[derive(Debug)]
pub(crate) struct Batches {
    size: usize,
    rota: Rota,
}

impl Batches {
    pub(crate) fn of(size: usize) -> Self {
        Self {
            size,
            rota: Rota::new(1, 0),
        }
    }

    /// Hands over one outcome for each symbol, those of a batch when it is fetched. A symbol that an answer leaves
    /// out is unknown, unless a row that names no symbol may be its.
    pub(crate) async fn each<T, F>(
        &self,
        symbols: &[Symbol],
        sink: Sink<'_, T>,
        fetch: impl Fn(Vec<Symbol>) -> F,
    ) where
        T: Clone,
        F: Future<Output = Result<Vec<Row<Observation<T>, FetchError>>, FetchError>>,
    {
        let mut asked = Vec::new();
        let mut turns: HashMap<Symbol, Vec<u64>> = HashMap::new();
        for (turn, symbol) in self.rota.order(symbols) {
            let turns = turns.entry(symbol.clone()).or_default();
            if turns.is_empty() {
                asked.push(symbol);
            }
            turns.push(turn);
        }
        for batch in asked.chunks(self.size) {
            let (mut found, missing) = match fetch(batch.to_vec()).await {
                Ok(rows) => by_symbol(rows),
                Err(error) => (HashMap::new(), error),
            };
            for symbol in batch {
                let result = found.remove(symbol);
                let result = result.unwrap_or_else(|| Err(missing.clone()));
                for turn in turns.remove(symbol).unwrap_or_default() {
                    let (symbol, result) = (symbol.clone(), result.clone());
                    self.rota.hand_over(turn, Polled { symbol, result }, sink);
                }
            }
        }
    }
}

/// The outcome of each symbol that has a row, and that of all others.
fn by_symbol<T>(
    rows: Vec<Row<T, FetchError>>,
) -> (HashMap<Symbol, Result<T, FetchError>>, FetchError) {
    let mut found = HashMap::new();
    let mut missing = FetchError::UnknownSymbol;
    for row in rows {
        match (row.symbol, row.content) {
            (Some(symbol), content) => {
                if !matches!(found.get(&symbol), Some(Ok(_))) {
                    found.insert(symbol, content);
                }
            }
            (None, Err(error)) => missing = error,
            (None, Ok(_)) => {}
        }
    }
    (found, missing)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::HashSet};

    use market::{Instrument, Trade};
    use proptest::prelude::*;

    use super::*;
    use crate::{gathered, replay::symbols};

    fn row(symbol: &Symbol) -> Row<Observation<Trade>, FetchError> {
        Row {
            symbol: Some(symbol.clone()),
            content: Ok(Observation {
                source: "test",
                instrument: Instrument::unknown(symbol.clone()),
                said: Trade {
                    price: "1".parse().unwrap(),
                    size: "1".parse().unwrap(),
                    time: jiff::Timestamp::UNIX_EPOCH,
                    conditions: Vec::new(),
                },
                fetched_at: jiff::Timestamp::UNIX_EPOCH,
            }),
        }
    }

    #[tokio::test]
    async fn symbols_that_had_no_turn_are_the_first_of_the_next_poll() {
        let batches = Batches::of(2);
        let asked = symbols(&["A", "B", "C", "D", "E"]);
        for served in [["A", "B"], ["C", "D"], ["A", "E"]] {
            // There is time for one request a poll.
            let requests = Cell::new(0);
            let fetch = async |batch: Vec<Symbol>| match requests.replace(requests.get() + 1) {
                0 => Ok(batch.iter().map(row).collect()),
                _ => Err(FetchError::NoTurn),
            };
            let polled =
                gathered(&asked, async |sink| batches.each(&asked, sink, fetch).await).await;
            assert!(polled.iter().map(|polled| &polled.symbol).eq(&asked));
            let found = polled.iter().filter(|polled| polled.result.is_ok());
            let found: Vec<_> = found.map(|polled| polled.symbol.as_str()).collect();
            assert_eq!(found, served);
        }
    }

    proptest! {
        #[test]
        fn every_symbol_has_one_outcome_whatever_an_answer_leaves_out_repeats_or_garbles(
            names in prop::collection::vec("[A-F]", 0..20),
            size in 1..4_usize,
            faults in prop::collection::vec(0..5_usize, 20),
        ) {
            let asked = symbols(&names);
            let batches = Batches::of(size);
            let requests = Cell::new(0);
            let fetch = async |batch: Vec<Symbol>| {
                let request = requests.replace(requests.get() + 1);
                let mut rows: Vec<_> = batch.iter().map(row).collect();
                match faults[request] {
                    0 => return Err(FetchError::PastDeadline),
                    1 => drop(rows.remove(0)),
                    2 => rows.push(row(&batch[0])),
                    3 => rows[0].symbol = None,
                    _ => rows.push(row(&"Z".parse().unwrap())),
                }
                Ok(rows)
            };
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let poll = async |sink: Sink<'_, _>| batches.each(&asked, sink, fetch).await;
            let polled = runtime.unwrap().block_on(gathered(&asked, poll));
            prop_assert!(polled.iter().map(|polled| &polled.symbol).eq(&asked));
            let unique = names.iter().collect::<HashSet<_>>().len();
            prop_assert_eq!(requests.get(), unique.div_ceil(size));
        }
    }

    #[tokio::test]
    async fn a_good_row_counts_before_a_bad_one_of_the_same_symbol() {
        let asked = symbols(&["A"]);
        let bad = || Row {
            symbol: Some(asked[0].clone()),
            content: Err(FetchError::NoData),
        };
        let fetch = async |batch: Vec<Symbol>| Ok(vec![bad(), row(&batch[0]), bad()]);
        let batches = Batches::of(9);
        let polled = gathered(&asked, async |sink| batches.each(&asked, sink, fetch).await).await;
        assert!(polled[0].result.is_ok());
    }
}
