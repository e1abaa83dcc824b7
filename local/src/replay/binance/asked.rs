//! What a call asks for, and what Binance says where it cannot be answered.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The symbols of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    One(String),
    List(Vec<String>),
    All,
}

/// Binance's error body; the codes and texts are those of its error page and of recorded answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refused {
    pub(super) code: i32,
    pub(super) msg: String,
}

impl Asked {
    /// Reads the query's parameters.
    pub(super) fn read(parameters: &[(String, String)]) -> Result<Self, Refused> {
        let values = |name: &str| {
            let named = parameters.iter().filter(|(known, _)| known == name);
            named.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
        };
        let (symbol, symbols) = (values("symbol"), values("symbols"));
        if symbol.len() + symbols.len() < parameters.len() {
            return Err(Refused::unread(
                symbol.len() + symbols.len(),
                parameters.len(),
            ));
        }
        match (&*symbol, &*symbols) {
            ([], []) => Ok(Self::All),
            ([symbol], []) => read_symbol(symbol).map(Self::One),
            ([], [symbols]) => read_symbols(symbols).map(Self::List),
            ([], _) | (_, []) => Err(Refused::new(
                -1101,
                "Duplicate values for a parameter detected.",
            )),
            (_, _) => Err(Refused::new(
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

impl Refused {
    /// What a call costs that cannot be read: as the smallest one.
    pub(super) const WEIGHT: u32 = 2;

    /// A symbol that is well-formed and not listed.
    pub(super) fn symbol() -> Self {
        Self::new(-1121, "Invalid symbol.")
    }

    fn new(code: i32, msg: impl Into<String>) -> Self {
        let msg = msg.into();
        Self { code, msg }
    }

    fn unread(read: usize, sent: usize) -> Self {
        Self::new(
            -1104,
            format!(
                "Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
            ),
        )
    }

    fn empty(parameter: &str) -> Self {
        Self::new(-1105, format!("Parameter '{parameter}' was empty."))
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

fn read_symbol(text: &str) -> Result<String, Refused> {
    if text.is_empty() {
        return Err(Refused::empty("symbol"));
    }
    legal_symbol(text)
        .ok_or_else(|| Refused::illegal_characters("symbol", r"^[\w\-._&&[^a-z]]{1,50}$"))
}

/// A JSON array of symbols without a space, as Binance's pattern has it.
fn read_symbols(text: &str) -> Result<Vec<String>, Refused> {
    if text.is_empty() {
        return Err(Refused::empty("symbols"));
    }
    if text == "[]" {
        return Err(Refused::new(
            -1102,
            "Mandatory parameter 'symbols' was not sent, was empty/null, or malformed.",
        ));
    }
    let symbols = legal_list(text).ok_or_else(|| {
        Refused::illegal_characters(
            "symbols",
            r#"^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$"#,
        )
    })?;
    let mut sorted: Vec<_> = symbols.iter().collect();
    sorted.sort_unstable();
    if sorted.is_sorted_by(|before, after| before < after) {
        Ok(symbols)
    } else {
        Err(Refused::new(
            -1151,
            "Symbol is present multiple times in the list.",
        ))
    }
}

fn legal_list(text: &str) -> Option<Vec<String>> {
    let items = text.strip_prefix('[')?.strip_suffix(']')?;
    items
        .split(',')
        .map(|item| legal_symbol(item.strip_prefix('"')?.strip_suffix('"')?))
        .collect()
}

fn legal_symbol(text: &str) -> Option<String> {
    let legal =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
    ((1..=50).contains(&text.len()) && text.bytes().all(legal)).then(|| text.to_owned())
}
