//! From the bytes of DNSE's answers to bars: pure, and never panics.

use market::{Bar, Digits};

use crate::{
    BodyError,
    vietnam::interval::{Columns, Interval},
};

/// The bars in the body of `GET /ohlcs/stock`, in the order sent. DNSE writes thousands of VND; these are VND,
/// exactly.
///
/// # Errors
/// [`BodyError`] if the body is anything else.
pub(crate) fn bars<At: Interval>(body: &[u8]) -> Result<Vec<Bar<At>>, BodyError> {
    let columns: Columns =
        serde_json::from_slice(body).map_err(|error| BodyError::of(body, &error))?;
    columns.bars()?.into_iter().map(in_vnd).collect()
}

fn in_vnd<At>(bar: Bar<At>) -> Result<Bar<At>, BodyError> {
    Ok(Bar {
        open: vnd(&bar.open)?,
        high: vnd(&bar.high)?,
        low: vnd(&bar.low)?,
        close: vnd(&bar.close)?,
        ..bar
    })
}

fn vnd(thousands: &Digits) -> Result<Digits, BodyError> {
    let vnd = thousands.value().checked_mul(1000.into());
    vnd.map(Digits::from)
        .ok_or_else(|| BodyError::Shape(format!("{thousands} is no price")))
}

#[cfg(test)]
mod tests;
