//! From the bytes of VCI's answers to its model: pure, and never panics.

use std::collections::BTreeSet;

use market::{Bar, Symbol};

use super::model::{Listed, Security};
use crate::{
    BodyError,
    batch::{Row, rows},
    vietnam::{
        board::{self, BoardRow, exchange},
        interval::{Columns, Interval},
    },
};

/// The rows in the body of `POST /api/price/symbols/getList`.
///
/// # Errors
/// [`BodyError`] if the body is no JSON array.
pub(crate) fn board(body: &[u8]) -> Result<Vec<Row<BoardRow>>, BodyError> {
    board::rows::<Listed>(body, "/listingInfo/symbol")
}

/// The series in the body of `POST /api/chart/OHLCChart/gap-chart`, in VND and in the order sent.
///
/// # Errors
/// [`BodyError`] if the body is no JSON array.
pub(crate) fn bars<At: Interval>(body: &[u8]) -> Result<Vec<Row<Vec<Bar<At>>>>, BodyError> {
    let rows = rows::<Columns>(body, "/symbol")?;
    let bars = rows.into_iter().map(|row| row.and_then(Columns::bars));
    Ok(bars.collect())
}

/// The shares in the body of `GET /api/price/symbols/getAll` that are listed on HOSE, HNX or UPCOM, in order.
///
/// # Errors
/// [`BodyError`] if the body is no JSON array or lists no share: that market would be empty.
pub(crate) fn shares(body: &[u8]) -> Result<Vec<Symbol>, BodyError> {
    let shares: BTreeSet<Symbol> = rows::<Security>(body, "/symbol")?
        .into_iter()
        .filter(|row| {
            row.content.as_ref().is_ok_and(|security| {
                security.kind == "STOCK" && exchange(&security.board).is_some()
            })
        })
        .filter_map(|row| row.symbol)
        .collect();
    if shares.is_empty() {
        return Err(BodyError::Shape("it lists no share".to_owned()));
    }
    Ok(shares.into_iter().collect())
}

#[cfg(test)]
mod tests;
