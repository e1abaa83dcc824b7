use std::ops::Range;

use tables::{Row, Upsert, UpsertError, Upserted};
use tokio::time::Instant;

/// What became of rows, by their positions.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// The parts that are in the tables, each by a transaction, and what it changed.
    pub(crate) done: Vec<(Range<usize>, Upserted)>,
    /// Rows that the database refuses alone.
    pub(crate) refused: Vec<(usize, UpsertError)>,
    /// Parts that may not be in the tables.
    pub(crate) not_done: Vec<Range<usize>>,
    /// Why they may not.
    pub(crate) cause: Option<UpsertError>,
}

/// Brings rows into the tables, each of `parts` by one transaction. Where a value is refused, the part is halved until the
/// row is alone, so that it costs no neighbour. Where the database can't be used, the rest is not tried.
pub(crate) async fn commit(
    tables: &impl Upsert,
    rows: &[Row],
    mut parts: Vec<Range<usize>>,
    until: Instant,
) -> Committed {
    let mut committed = Committed::default();
    parts.reverse();
    while let Some(part) = parts.pop() {
        match tables.upsert(&rows[part.clone()], until).await {
            Ok(upserted) => committed.done.push((part, upserted)),
            Err(error) if error.is_of_rows() && part.len() == 1 => {
                committed.refused.push((part.start, error));
            }
            Err(error) if error.is_of_rows() => {
                let middle = part.start + part.len() / 2;
                parts.push(middle..part.end);
                parts.push(part.start..middle);
            }
            Err(error) => {
                committed.not_done.push(part);
                committed.not_done.extend(parts.drain(..).rev());
                committed.cause = Some(error);
            }
        }
    }
    committed
}
