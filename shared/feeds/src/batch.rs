//! Requests for many symbols at once: whatever the answer leaves out or garbles, each symbol has its outcome.

use std::collections::{HashMap, HashSet};

use market::{Observation, Symbol};
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};

use crate::{BodyError, FetchError, Polled};

/// An item of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row<T, E = BodyError> {
    /// What it is of, if that much can be read.
    pub(crate) symbol: Option<Symbol>,
    /// What it holds, or what is wrong with it.
    pub(crate) content: Result<T, E>,
}

impl<T> Row<T> {
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

/// One outcome for each symbol, in the order asked, from one request after the other for at most `size` symbols
/// each. A symbol that an answer leaves out is unknown, unless a row that names no symbol may be its.
pub(crate) async fn in_batches<T, F>(
    symbols: &[Symbol],
    size: usize,
    fetch: impl Fn(Vec<Symbol>) -> F,
) -> Vec<Polled<T>>
where
    T: Clone,
    F: Future<Output = Result<Vec<Row<Observation<T>, FetchError>>, FetchError>>,
{
    let mut seen = HashSet::new();
    let asked: Vec<Symbol> = symbols
        .iter()
        .filter(|symbol| seen.insert(*symbol))
        .cloned()
        .collect();
    let mut outcomes = HashMap::new();
    for batch in asked.chunks(size) {
        let (found, missing) = match fetch(batch.to_vec()).await {
            Ok(rows) => by_symbol(rows),
            Err(error) => (HashMap::new(), error),
        };
        let missing = batch
            .iter()
            .filter(|symbol| !found.contains_key(*symbol))
            .map(|symbol| (symbol.clone(), Err(missing.clone())));
        outcomes.extend(missing.collect::<Vec<_>>());
        outcomes.extend(found);
    }
    symbols
        .iter()
        .map(|symbol| Polled {
            symbol: symbol.clone(),
            result: outcomes
                .get(symbol)
                .cloned()
                .unwrap_or(Err(FetchError::UnknownSymbol)),
        })
        .collect()
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
