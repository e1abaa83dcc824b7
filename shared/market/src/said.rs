use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::Offset,
};

use crate::{Bar, CryptoTicker, DailyBars, Digits, MinuteBars, Quote, Trade};

/// What every quote, trade or series of bars has.
pub trait Said {
    /// When the last price was made, by the provider's clock; `None` where it does not say, and for a series without
    /// bars.
    fn event_time(&self) -> Option<Timestamp>;

    /// The trading day that it says itself to be of.
    fn trading_date(&self) -> Option<Date> {
        None
    }

    /// Every number as sent, in a fixed order, empty where there is none: what tells two of one time apart.
    fn digits(&self) -> Vec<String>;

    /// The prices that are compared with each other.
    fn prices(&self) -> Prices<'_>;
}

/// The prices of a quote that are compared with each other; `None` is not compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prices<'a> {
    /// The last price.
    pub last: Option<&'a Digits>,
    /// The highest and the lowest in its time.
    pub range: Option<(&'a Digits, &'a Digits)>,
    /// The highest and the lowest that are allowed, if there is a band: a ceiling of 0 is none.
    pub band: Option<(&'a Digits, &'a Digits)>,
    /// The best bid.
    pub bid: Option<&'a Digits>,
    /// The best ask.
    pub ask: Option<&'a Digits>,
    /// Whether nothing was traded today, so that `last` is only the reference price.
    pub not_traded: bool,
    /// Whether nothing was traded in the last 24 hours, so that `last` is older and there is no range.
    pub not_traded_24h: bool,
    /// Whether a number is missing that belongs there.
    pub incomplete: bool,
}

fn text<T: ToString>(number: Option<&T>) -> String {
    number.map_or_else(String::new, ToString::to_string)
}

impl Said for Quote {
    fn event_time(&self) -> Option<Timestamp> {
        match self {
            Self::Stock(quote) => Some(quote.time),
            Self::Crypto(ticker) => Some(ticker.close_time),
            Self::Board(quote) => quote.time,
        }
    }

    fn digits(&self) -> Vec<String> {
        match self {
            Self::Stock(quote) => vec![
                quote.current.to_string(),
                text(quote.change.as_ref()),
                text(quote.percent_change.as_ref()),
                text(quote.high.as_ref()),
                text(quote.low.as_ref()),
                text(quote.open.as_ref()),
                text(quote.previous_close.as_ref()),
            ],
            Self::Crypto(ticker) => vec![
                ticker.last_price.to_string(),
                text(ticker.open_price.as_ref()),
                text(ticker.high_price.as_ref()),
                text(ticker.low_price.as_ref()),
                text(ticker.volume.as_ref()),
                text(ticker.quote_volume.as_ref()),
                text(ticker.trades.as_ref()),
                text(ticker.price_change.as_ref()),
                text(ticker.price_change_percent.as_ref()),
            ],
            Self::Board(quote) => vec![
                quote.price.to_string(),
                text(quote.volume.as_ref()),
                text(quote.total_volume.as_ref()),
                text(quote.reference.as_ref()),
                text(quote.ceiling.as_ref()),
                text(quote.floor.as_ref()),
                text(quote.high.as_ref()),
                text(quote.low.as_ref()),
                text(quote.average.as_ref()),
                text(quote.bid.as_ref()),
                text(quote.ask.as_ref()),
            ],
        }
    }

    fn prices(&self) -> Prices<'_> {
        match self {
            Self::Stock(quote) => Prices {
                last: Some(&quote.current),
                range: quote.high.as_ref().zip(quote.low.as_ref()),
                incomplete: [&quote.high, &quote.low, &quote.open, &quote.previous_close]
                    .into_iter()
                    .any(Option::is_none),
                ..Prices::default()
            },
            Self::Crypto(ticker) => Prices {
                last: Some(&ticker.last_price),
                range: ticker.high_price.as_ref().zip(ticker.low_price.as_ref()),
                bid: ticker.bid.as_ref(),
                ask: ticker.ask.as_ref(),
                not_traded_24h: ticker.trades == Some(0),
                incomplete: is_incomplete(ticker),
                ..Prices::default()
            },
            Self::Board(quote) => Prices {
                last: Some(&quote.price),
                range: quote.high.as_ref().zip(quote.low.as_ref()),
                band: quote
                    .ceiling
                    .as_ref()
                    .filter(|ceiling| !ceiling.value().is_zero())
                    .zip(quote.floor.as_ref()),
                bid: quote.bid.as_ref(),
                ask: quote.ask.as_ref(),
                not_traded: !quote.traded,
                incomplete: quote.incomplete,
                ..Prices::default()
            },
        }
    }
}

fn is_incomplete(ticker: &CryptoTicker) -> bool {
    let numbers = [
        &ticker.open_price,
        &ticker.high_price,
        &ticker.low_price,
        &ticker.volume,
        &ticker.quote_volume,
        &ticker.price_change,
        &ticker.price_change_percent,
    ];
    ticker.trades.is_none() || numbers.into_iter().any(Option::is_none)
}

impl Said for Trade {
    fn event_time(&self) -> Option<Timestamp> {
        Some(self.time)
    }

    fn digits(&self) -> Vec<String> {
        vec![
            self.price.to_string(),
            self.size.to_string(),
            self.conditions.join(" "),
        ]
    }

    fn prices(&self) -> Prices<'_> {
        Prices {
            last: Some(&self.price),
            ..Prices::default()
        }
    }
}

impl Said for MinuteBars {
    fn event_time(&self) -> Option<Timestamp> {
        self.last().map(|bar| bar.at)
    }

    fn digits(&self) -> Vec<String> {
        digits(self)
    }

    fn prices(&self) -> Prices<'_> {
        last_bar(self)
    }
}

impl Said for DailyBars {
    /// Midnight UTC of the last day: a day has no moment of its own.
    fn event_time(&self) -> Option<Timestamp> {
        let midnight = self.last()?.at.to_datetime(Time::midnight());
        Offset::UTC.to_timestamp(midnight).ok()
    }

    fn trading_date(&self) -> Option<Date> {
        self.last().map(|bar| bar.at)
    }

    fn digits(&self) -> Vec<String> {
        digits(self)
    }

    fn prices(&self) -> Prices<'_> {
        last_bar(self)
    }
}

fn digits<At: ToString>(bars: &[Bar<At>]) -> Vec<String> {
    bars.iter()
        .flat_map(|bar| {
            let numbers = [&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume];
            std::iter::once(bar.at.to_string()).chain(numbers.map(ToString::to_string))
        })
        .collect()
}

fn last_bar<At>(bars: &[Bar<At>]) -> Prices<'_> {
    bars.last().map_or_else(Prices::default, |bar| Prices {
        last: Some(&bar.close),
        range: Some((&bar.high, &bar.low)),
        ..Prices::default()
    })
}
