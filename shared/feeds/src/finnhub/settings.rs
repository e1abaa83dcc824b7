use settings::{Absent, Form, REFERENCE, Setting};

/// Every setting of Finnhub.
pub const SETTINGS: &[Setting] = &[
    API_KEY,
    API_KEY_SECRET,
    PER_MINUTE,
    PER_SECOND,
    CONCURRENCY,
    TRADES_SYMBOLS,
    URL,
    TRADES_URL,
];

pub(super) const API_KEY: Setting = Setting::new(
    "FINNHUB_API_KEY",
    Absent::Means("this or the next for Finnhub"),
    Form::Text {
        range: "text",
        expects: "a key from https://finnhub.io, or FINNHUB_API_KEY_SECRET to the reference of a secret that holds one",
    },
    "the key; never logged, sent as a header, to the stream of trades in the URL, as it wants it",
)
.secret();

pub(super) const API_KEY_SECRET: Setting = Setting::new(
    "FINNHUB_API_KEY_SECRET",
    Absent::Means("this or the former"),
    REFERENCE,
    "where the key is: fetched once per environment, again when it is refused",
)
.secret();

pub(super) const PER_MINUTE: Setting = Setting::new(
    "FINNHUB_PER_MINUTE",
    Absent::Is("60"),
    Form::Number(1, 100_000),
    "requests per minute that the plan allows",
);

pub(super) const PER_SECOND: Setting = Setting::new(
    "FINNHUB_PER_SECOND",
    Absent::Is("30"),
    Form::Number(1, 10_000),
    "requests per second",
);

pub(super) const CONCURRENCY: Setting = Setting::new(
    "FINNHUB_CONCURRENCY",
    Absent::Is("32"),
    Form::Number(1, 1_000),
    "requests at once",
);

pub(super) const TRADES_SYMBOLS: Setting = Setting::new(
    "FINNHUB_TRADES_SYMBOLS",
    Absent::Is("50"),
    Form::Number(1, 100_000),
    "the most symbols on the stream of trades",
);

pub(super) const URL: Setting = Setting::new(
    "FINNHUB_URL",
    Absent::Is("https://finnhub.io/api/v1"),
    Form::Url,
    "where the API is",
)
.secret();

pub(super) const TRADES_URL: Setting = Setting::new(
    "FINNHUB_TRADES_URL",
    Absent::Is("wss://ws.finnhub.io"),
    Form::Url,
    "where the stream of trades is",
)
.secret();
