//! From the bytes of KBS's answers to its model: pure, and never panics.

use market::Bar;

use super::model::{Listed, Series};
use crate::{
    BodyError,
    batch::Row,
    vietnam::{
        board::{self, BoardRow},
        interval::Interval,
    },
};

/// The rows in the body of `POST /stock/iss`.
///
/// # Errors
/// [`BodyError`] if the body is no JSON array.
pub(crate) fn board(body: &[u8]) -> Result<Vec<Row<BoardRow>>, BodyError> {
    board::rows::<Listed>(body, "/SB")
}

/// The bars in the body of `GET /stocks/{symbol}/data_1P` or `/data_day`, in VND and in the order sent.
///
/// # Errors
/// [`BodyError`] if the body is anything else, or one bar can't be read: a series with a hole would pass for a
/// whole one.
pub(crate) fn bars<At: Interval>(body: &[u8]) -> Result<Vec<Bar<At>>, BodyError> {
    let series: Series =
        serde_json::from_slice(body).map_err(|error| BodyError::of(body, &error))?;
    Ok(series.data.into_iter().map(Bar::from).collect())
}

#[cfg(test)]
mod tests;
