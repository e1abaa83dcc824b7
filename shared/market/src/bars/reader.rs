use jiff::civil::Date;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{
    Amount, MINUTE, Observed, Rules, Said, Subject, Zone,
    line::{Kafka, Line, LineMeta, ProviderBar, Text},
    time,
};

/// Reads the bronze lines of one topic and symbol.
#[derive(Clone, Debug)]
pub struct Reader {
    topic: Option<Shape>,
    rules: Rules,
    symbol: Option<String>,
    subjects: Vec<Subject>,
    /// The last one's texts as the line has them, which the next line has too.
    last: Option<(Told, u32)>,
}

/// What lines were read into.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// Prices, and minute bars of providers.
    pub observed: Vec<Observed>,
    /// Daily bars of providers.
    pub days: Vec<ProviderDay>,
}

/// A daily bar that a provider has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderDay {
    /// The trading date.
    pub date: Date,
    /// Open, high, low, close.
    pub prices: super::Prices,
    /// What was traded.
    pub volume: Amount,
    /// When it was fetched, in microseconds since 1970.
    pub fetched_at: i64,
    /// The partition of its record.
    pub partition: i32,
    /// The offset of its record.
    pub offset: i64,
    /// The record's `event_id`, as [`Observed::event_id`].
    pub event_id: Option<u128>,
    /// Of what: the index in [`Reader::subjects`].
    pub subject: u32,
}

/// Why a good record counts in no bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aside {
    /// It does not say when it happened.
    NoEventTime,
    /// It happened later than it was fetched, beyond [`Rules::ahead`].
    Ahead,
    /// A number of it has more digits than an [`Amount`], or a date lies outside the years 1970 to 9999.
    OutOfRange,
    /// It is of no known shape, in a topic whose name says none either.
    UnknownSchema,
}

impl Aside {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoEventTime => "no-event-time",
            Self::Ahead => "ahead",
            Self::OutOfRange => "out-of-range",
            Self::UnknownSchema => "unknown-schema",
        }
    }
}

/// Why a line is none that bars can be made of.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Not JSON, or a member of another type.
    #[error("it is no bronze line of a message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Another shape than the topic's, and none that is known.
    #[error("its meta.schema is none that is known here: {0:?}")]
    UnknownSchema(Option<String>),
    /// What its shape always has is missing, or is of another type.
    #[error("it has no {0} as its schema says")]
    Missing(&'static str),
    /// It has no time of its fetch.
    #[error("it does not say when it was fetched, and Kafka's timestamp is missing")]
    NoFetchTime,
    /// It is of another symbol than the lines before.
    #[error("it is of the symbol {0:?}, not that of the lines before")]
    OtherSymbol(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    StockQuotes,
    CryptoPrices,
    TradesRaw,
    StockPrices,
    StockIntraday,
    StockHistorical,
    StockBoard,
}

impl Shape {
    fn of_schema(schema: &str) -> Option<Self> {
        Some(match schema {
            "stock-quotes/1" => Self::StockQuotes,
            "crypto-prices/1" => Self::CryptoPrices,
            "trades-raw/1" => Self::TradesRaw,
            "stock-prices/1" => Self::StockPrices,
            "stock-intraday/1" => Self::StockIntraday,
            "stock-historical/1" => Self::StockHistorical,
            "stock-board/1" => Self::StockBoard,
            _ => return None,
        })
    }

    /// That of a topic with the template's name, which is the shape's but for an underscore.
    fn of_topic(topic: &str) -> Option<Self> {
        let name = match topic {
            "trades-raw" => return None,
            "trades_raw" => "trades-raw",
            _ => topic,
        };
        Self::of_schema(&format!("{name}/1"))
    }
}

/// The texts of a line that say what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told([Option<String>; 5]);

impl Told {
    fn is(&self, told: [Option<&str>; 5]) -> bool {
        self.0.iter().map(Option::as_deref).eq(told)
    }
}

impl Reader {
    /// A reader of this topic's lines, whose name says the shape of a message that does not say it itself.
    pub fn new(topic: &str, rules: Rules) -> Self {
        Self {
            topic: Shape::of_topic(topic),
            rules,
            symbol: None,
            subjects: Vec::new(),
            last: None,
        }
    }

    /// What the observations are of.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The symbol as its provider writes it; `None` before the first line.
    pub fn symbol(&self) -> Option<&str> {
        self.symbol.as_deref()
    }

    /// Reads a line; `Some` if its record counts in no bar or, where it holds bars, one of them is left out.
    ///
    /// # Errors
    /// [`LineError`], after which `lines` is as before.
    pub fn read(&mut self, line: &[u8], lines: &mut Lines) -> Result<Option<Aside>, LineError> {
        let line: Line<'_> = match str::from_utf8(line) {
            // Checked as a whole, which is quicker than text by text.
            Ok(line) => serde_json::from_str(line)?,
            Err(_) => serde_json::from_slice(line)?,
        };
        self.be_of_symbol(&line)?;
        let schema = line.meta.as_ref().and_then(|meta| Text::of(&meta.schema));
        let shape = schema.map_or(self.topic, Shape::of_schema);
        let Some(shape) = shape else {
            return match self.topic {
                None => Ok(Some(Aside::UnknownSchema)),
                Some(_) => Err(LineError::UnknownSchema(schema.map(str::to_owned))),
            };
        };
        let fetched_at = fetched_at(&line).ok_or(LineError::NoFetchTime)?;
        let event_id = line.meta.as_ref().and_then(|meta| Text::of(&meta.event_id));
        let at = At {
            fetched_at,
            event_id: event_id.map(event_id_number),
            subject: self.subject(line.meta.as_ref()),
            kafka: &line.kafka,
        };
        match shape {
            Shape::StockIntraday => minutes(&line, &at, self.rules.ahead, lines),
            Shape::StockHistorical => days(&line, &at, lines),
            _ => self.price(&line, shape, &at, lines),
        }
    }

    fn price(
        &self,
        line: &Line<'_>,
        shape: Shape,
        at: &At<'_>,
        lines: &mut Lines,
    ) -> Result<Option<Aside>, LineError> {
        let (name, price) = match shape {
            Shape::StockQuotes => ("c", line.c),
            _ => ("price", line.price),
        };
        let price = number(name, price)?;
        let (name, session) = match shape {
            Shape::StockPrices => ("volume", line.volume),
            Shape::StockBoard => ("total_volume", line.total_volume),
            _ => ("", None),
        };
        let session = session.map(|total| number(name, Some(total)));
        let session_volume = session.transpose()?.flatten();
        let said = match shape {
            Shape::TradesRaw => {
                let size = number("size", line.size)?;
                price
                    .zip(size)
                    .map(|(price, size)| Said::Trade { price, size })
            }
            _ => price.map(|price| Said::Quote {
                price,
                session_volume,
            }),
        };
        let body = match shape {
            Shape::StockQuotes => line.t.and_then(time::seconds),
            Shape::CryptoPrices => line.event_time.and_then(time::milliseconds),
            Shape::TradesRaw => line.time.and_then(time::milliseconds),
            Shape::StockBoard => line.time.and_then(time::text),
            _ => None,
        };
        let event_time = match &line.meta {
            Some(meta) => meta.event_time.and_then(time::text),
            None => body,
        };
        // 0 stands for a time that is not known.
        let Some(event_time) = event_time.filter(|&time| time > 0) else {
            return Ok(Some(Aside::NoEventTime));
        };
        if event_time.saturating_sub(at.fetched_at) > self.rules.ahead {
            return Ok(Some(Aside::Ahead));
        }
        let Some(said) = said else {
            return Ok(Some(Aside::OutOfRange));
        };
        lines.observed.push(at.observed(event_time, said));
        Ok(None)
    }

    fn be_of_symbol(&mut self, line: &Line<'_>) -> Result<(), LineError> {
        let symbol = Text::of(&line.symbol).or_else(|| Text::of(&line.ticker));
        let symbol = symbol.ok_or(LineError::Missing("symbol"))?;
        match &self.symbol {
            Some(known) if known == symbol => Ok(()),
            Some(_) => Err(LineError::OtherSymbol(symbol.chars().take(64).collect())),
            None => {
                self.symbol = Some(symbol.to_owned());
                Ok(())
            }
        }
    }

    /// The index of what the line is of.
    fn subject(&mut self, meta: Option<&LineMeta<'_>>) -> u32 {
        let told = meta.map_or([None; 5], |meta| {
            [
                Text::of(&meta.symbol),
                Text::of(&meta.currency),
                Text::of(&meta.mic),
                Text::of(&meta.source),
                Text::of(&meta.asset_class),
            ]
        });
        if let Some((last, index)) = &self.last
            && last.is(told)
        {
            return *index;
        }
        let [canonical_symbol, currency, mic, source, asset_class] = told;
        let subject = Subject {
            canonical_symbol: canonical_symbol.map(str::to_owned),
            currency: currency.map(str::to_owned),
            mic: mic.map(str::to_owned),
            source: source.map(str::to_owned),
            zone: Zone::of(asset_class, currency),
        };
        let known = self.subjects.iter().position(|known| *known == subject);
        let index = known.unwrap_or_else(|| {
            self.subjects.push(subject);
            self.subjects.len() - 1
        });
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.last = Some((Told(told.map(|text| text.map(str::to_owned))), index));
        index
    }
}

/// What all that a line says has in common.
struct At<'a> {
    fetched_at: i64,
    event_id: Option<u128>,
    subject: u32,
    kafka: &'a Kafka,
}

impl At<'_> {
    fn observed(&self, event_time: i64, said: Said) -> Observed {
        Observed {
            event_time,
            fetched_at: self.fetched_at,
            event_id: self.event_id,
            partition: self.kafka.partition,
            offset: self.kafka.offset,
            said,
            subject: self.subject,
        }
    }
}

fn minutes(
    line: &Line<'_>,
    at: &At<'_>,
    ahead: i64,
    lines: &mut Lines,
) -> Result<Option<Aside>, LineError> {
    let mut aside = None;
    let bars = bars(line)?;
    let mut read = Vec::with_capacity(bars.len());
    for bar in bars {
        let start = time::rfc3339(&bar.date.0).ok_or(LineError::Missing("Date"))?;
        match prices(&bar)? {
            Some(_) if start.saturating_sub(at.fetched_at) > ahead => aside = Some(Aside::Ahead),
            Some((prices, volume)) => {
                let said = Said::Bar {
                    open: prices.open,
                    high: prices.high,
                    low: prices.low,
                    close: prices.close,
                    volume,
                };
                read.push(at.observed(start - start.rem_euclid(MINUTE), said));
            }
            None => aside = Some(Aside::OutOfRange),
        }
    }
    lines.observed.append(&mut read);
    Ok(aside)
}

fn days(line: &Line<'_>, at: &At<'_>, lines: &mut Lines) -> Result<Option<Aside>, LineError> {
    let mut aside = None;
    let bars = bars(line)?;
    let mut read = Vec::with_capacity(bars.len());
    for bar in bars {
        let date: Date = bar.date.0.parse().map_err(|_| LineError::Missing("Date"))?;
        if !(1970..=9999).contains(&date.year()) {
            aside = Some(Aside::OutOfRange);
            continue;
        }
        match prices(&bar)? {
            Some((prices, volume)) => read.push(ProviderDay {
                date,
                prices,
                volume,
                fetched_at: at.fetched_at,
                partition: at.kafka.partition,
                offset: at.kafka.offset,
                event_id: at.event_id,
                subject: at.subject,
            }),
            None => aside = Some(Aside::OutOfRange),
        }
    }
    lines.days.append(&mut read);
    Ok(aside)
}

fn bars<'a>(line: &Line<'a>) -> Result<Vec<ProviderBar<'a>>, LineError> {
    let data = line.data.ok_or(LineError::Missing("data"))?;
    Ok(serde_json::from_str(data.get())?)
}

/// The prices and the volume; `None` if one has too many digits.
fn prices(bar: &ProviderBar<'_>) -> Result<Option<(super::Prices, Amount)>, LineError> {
    let read = |name, raw| number(name, Some(raw));
    let (open, high) = (read("Open", bar.open)?, read("High", bar.high)?);
    let (low, close) = (read("Low", bar.low)?, read("Close", bar.close)?);
    let volume = read("Volume", bar.volume)?;
    let prices = || {
        Some(super::Prices {
            open: open?,
            high: high?,
            low: low?,
            close: close?,
        })
    };
    Ok(prices().zip(volume))
}

/// A number that a shape always has; `None` within if it has too many digits.
fn number(name: &'static str, raw: Option<&RawValue>) -> Result<Option<Amount>, LineError> {
    let text = raw.map(RawValue::get).unwrap_or_default();
    let quoted = text.strip_prefix('"');
    let digits = quoted
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let is_number = |text: &str| {
        // What JSON takes for a number begins so; anything else is of another type.
        text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
    };
    let is_all_of_it = |text: &str| {
        let read: Result<&RawValue, _> = serde_json::from_str(text);
        read.is_ok_and(|read| read.get().len() == text.len())
    };
    match is_number(digits) && (quoted.is_none() || is_all_of_it(digits)) {
        true => Ok(Amount::parse(digits.as_bytes())),
        false => Err(LineError::Missing(name)),
    }
}

/// When the record was fetched, by the rule that chose its object: `meta.fetched_at`, else `fetched_at`, else Kafka's
/// timestamp.
fn fetched_at(line: &Line<'_>) -> Option<i64> {
    let of_meta = line.meta.as_ref().and_then(|meta| meta.fetched_at);
    let said = of_meta
        .and_then(time::usable)
        .or_else(|| line.fetched_at.and_then(time::usable));
    said.or_else(|| {
        line.kafka
            .timestamp
            .filter(|&time| time > 0)?
            .checked_mul(1_000)
    })
}

fn event_id_number(text: &str) -> u128 {
    if text.len() == 32
        && let Some((high, low)) = text.split_at_checked(16)
        && let Some((high, low)) = hex(high).zip(hex(low))
    {
        return u128::from(high) << 64 | u128::from(low);
    }
    let hash = Sha256::digest(text);
    hash.iter()
        .take(16)
        .fold(0, |id, byte| (id << 8) | u128::from(*byte))
}

/// The number of up to 16 lower-case hexadecimal digits.
fn hex(digits: &str) -> Option<u64> {
    digits.bytes().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}
