//! What a call asks for, and what Binance says where it cannot be answered.

use std::{str::FromStr, time::Duration};

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The query's parameters as they were sent.
pub(super) type Sent = Vec<(String, String)>;

/// The symbols of a ticker's call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    One(String),
    List(Vec<String>),
    All,
}

/// What a klines' call asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AskedKlines {
    pub(super) symbol: String,
    pub(super) interval: Duration,
    /// In milliseconds since the epoch, as [`AskedKlines::end`] is.
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) limit: i64,
}

/// Binance's error body; the codes and texts are those of its error page and of recorded answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refused {
    pub(super) code: i32,
    pub(super) msg: String,
}

impl Asked {
    /// Reads the query's parameters.
    pub(super) fn read(sent: &Sent) -> Result<Self, Refused> {
        only(sent, &["symbol", "symbols"])?;
        match (value(sent, "symbol"), value(sent, "symbols")) {
            (None, None) => Ok(Self::All),
            (Some(symbol), None) => read_symbol(symbol).map(Self::One),
            (None, Some(symbols)) => read_symbols(symbols).map(Self::List),
            (Some(_), Some(_)) => Err(Refused::new(
                -1128,
                "Combination of optional parameters invalid. \
                 Recommendation: 'symbol' and 'symbols' cannot both be sent.",
            )),
        }
    }

    /// What the call costs.
    pub(super) fn weight(&self) -> u32 {
        match self {
            Self::One(_) => 2,
            Self::List(symbols) => match symbols.len() {
                0..=20 => 2,
                21..=100 => 40,
                _ => 80,
            },
            Self::All => 80,
        }
    }
}

impl AskedKlines {
    pub(super) const WEIGHT: u32 = 2;

    /// Reads the query's parameters. Intervals other than a second, a minute, an hour and a day are refused as invalid.
    pub(super) fn read(sent: &Sent) -> Result<Self, Refused> {
        only(
            sent,
            &["symbol", "interval", "startTime", "endTime", "limit"],
        )?;
        let mandatory = |name| value(sent, name).ok_or_else(|| Refused::missing(name));
        Ok(Self {
            symbol: read_symbol(mandatory("symbol")?)?,
            interval: match mandatory("interval")? {
                "1s" => Duration::from_secs(1),
                "1m" => Duration::from_secs(60),
                "1h" => Duration::from_secs(3600),
                "1d" => Duration::from_secs(86_400),
                _ => return Err(Refused::new(-1120, "Invalid interval.")),
            },
            start: integer(sent, "startTime")?,
            end: integer(sent, "endTime")?,
            limit: integer(sent, "limit")?.unwrap_or(500).clamp(1, 1000),
        })
    }
}

impl Refused {
    /// What a call costs that cannot be read: as the smallest one.
    pub(super) const WEIGHT: u32 = 2;

    /// A symbol that is well-formed and not listed.
    pub(super) fn symbol() -> Self {
        Self::new(-1121, "Invalid symbol.")
    }

    /// More weight than a client has.
    pub(super) fn weight(msg: impl Into<String>) -> Self {
        Self::new(-1003, msg)
    }

    fn new(code: i32, msg: impl Into<String>) -> Self {
        let msg = msg.into();
        Self { code, msg }
    }

    fn missing(parameter: &str) -> Self {
        Self::new(
            -1102,
            format!(
                "Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed."
            ),
        )
    }

    fn illegal_characters(parameter: &str, legal: &str) -> Self {
        Self::new(
            -1100,
            format!(
                "Illegal characters found in parameter '{parameter}'; legal range is '{legal}'."
            ),
        )
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(self)).into_response()
    }
}

fn value<'a>(sent: &'a Sent, name: &str) -> Option<&'a str> {
    let (_, value) = sent.iter().find(|(known, _)| known == name)?;
    Some(value)
}

/// That no parameter was sent but those which are read.
fn only(sent: &Sent, names: &[&str]) -> Result<(), Refused> {
    let read = sent.iter().filter(|(name, _)| names.contains(&&**name));
    let (read, sent) = (read.count(), sent.len());
    if read == sent {
        return Ok(());
    }
    Err(Refused::new(
        -1104,
        format!(
            "Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
        ),
    ))
}

fn integer<T: FromStr>(sent: &Sent, name: &str) -> Result<Option<T>, Refused> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let read = |text: &str| text.parse().ok().filter(|_| digits(text));
    let refused = || Refused::illegal_characters(name, "^[0-9]{1,20}$");
    value(sent, name)
        .map(|text| read(text).ok_or_else(refused))
        .transpose()
}

fn read_symbol(text: &str) -> Result<String, Refused> {
    if text.is_empty() {
        return Err(Refused::missing("symbol"));
    }
    legal_symbol(text)
        .ok_or_else(|| Refused::illegal_characters("symbol", r"^[\w\-._&&[^a-z]]{1,50}$"))
}

/// A JSON array of symbols without a space, as Binance's pattern has it.
fn read_symbols(text: &str) -> Result<Vec<String>, Refused> {
    if text.is_empty() || text == "[]" {
        return Err(Refused::missing("symbols"));
    }
    legal_list(text).ok_or_else(|| {
        Refused::illegal_characters(
            "symbols",
            r#"^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$"#,
        )
    })
}

fn legal_list(text: &str) -> Option<Vec<String>> {
    let items = text.strip_prefix('[')?.strip_suffix(']')?;
    items
        .split(',')
        .map(|item| legal_symbol(item.strip_prefix('"')?.strip_suffix('"')?))
        .collect()
}

/// Letters of every script are legal, but for small Latin ones.
fn legal_symbol(text: &str) -> Option<String> {
    let legal =
        |c: char| (c.is_alphanumeric() && !c.is_ascii_lowercase()) || matches!(c, '_' | '-' | '.');
    ((1..=50).contains(&text.chars().count()) && text.chars().all(legal)).then(|| text.to_owned())
}
