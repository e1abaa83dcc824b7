use std::sync::LazyLock;

use jiff::civil::Date;
use market::bars::{Amount, Bar, Bases, Prices, Zone};

use super::File;

/// One column: its name, whether it always has a value, and where in a bar that is.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) values: Values,
}

/// How a column's values are taken from a bar and put back. What puts one back says whether it fits.
pub(super) enum Values {
    /// Few different texts.
    Text(
        for<'a> fn(&'a File, &'a Bar) -> Option<&'a str>,
        fn(&File, &mut Bar, Option<&str>) -> bool,
    ),
    /// 32 hexadecimal digits.
    Id(Take<u128>, Put<u128>),
    Amount(Take<Amount>, Put<Amount>),
    /// Microseconds since 1970, in UTC.
    Time(Take<i64>, Put<i64>),
    Count(Take<i64>, Put<i64>),
    Date(Take<Date>, Put<Date>),
    Flag(Take<bool>, Put<bool>),
    /// What follows from other columns.
    Ratio(Take<f64>),
}

type Take<T> = fn(&Bar) -> Option<T>;
type Put<T> = fn(&mut Bar, Option<T>) -> bool;

use Values::{Amount as Decimal, Count, Date as Day, Flag, Id, Ratio, Text, Time};

/// The columns in their order.
pub(super) static COLUMNS: [Field; 28] = [
    required(
        "symbol",
        Text(
            |file, _| Some(&file.symbol),
            |file, _, text| text == Some(&*file.symbol),
        ),
    ),
    required(
        "time_zone",
        Text(
            |_, bar| Some(bar.subject.zone.name()),
            |_, bar, text| set(&mut bar.subject.zone, text.and_then(zone)),
        ),
    ),
    optional(
        "canonical_symbol",
        Text(
            |_, bar| bar.subject.canonical_symbol.as_deref(),
            |_, bar, text| own(&mut bar.subject.canonical_symbol, text),
        ),
    ),
    required(
        "bar_interval",
        Text(
            |file, _| Some(file.interval.name()),
            |file, _, text| text == Some(file.interval.name()),
        ),
    ),
    required(
        "start_time",
        Time(|bar| Some(bar.start), |bar, time| set(&mut bar.start, time)),
    ),
    required(
        "end_time",
        Time(|bar| Some(bar.end), |bar, time| set(&mut bar.end, time)),
    ),
    optional(
        "open",
        Decimal(
            |bar| bar.prices.map(|prices| prices.open),
            |bar, open| {
                bar.prices = open.map(|open| Prices {
                    open,
                    high: open,
                    low: open,
                    close: open,
                });
                true
            },
        ),
    ),
    optional(
        "high",
        Decimal(
            |bar| bar.prices.map(|prices| prices.high),
            |bar, high| set_price(bar, high, |prices| &mut prices.high),
        ),
    ),
    optional(
        "low",
        Decimal(
            |bar| bar.prices.map(|prices| prices.low),
            |bar, low| set_price(bar, low, |prices| &mut prices.low),
        ),
    ),
    optional(
        "close",
        Decimal(
            |bar| bar.prices.map(|prices| prices.close),
            |bar, close| set_price(bar, close, |prices| &mut prices.close),
        ),
    ),
    optional(
        "volume",
        Decimal(
            |bar| bar.volume,
            |bar, volume| set_any(&mut bar.volume, volume),
        ),
    ),
    optional(
        "quote_volume",
        Decimal(
            |bar| bar.quote_volume,
            |bar, volume| set_any(&mut bar.quote_volume, volume),
        ),
    ),
    optional("vwap", Ratio(Bar::vwap)),
    optional(
        "trades",
        Count(
            |bar| bar.trades,
            |bar, trades| set_any(&mut bar.trades, trades),
        ),
    ),
    required(
        "ticks",
        Count(
            |bar| Some(bar.ticks),
            |bar, ticks| set(&mut bar.ticks, ticks),
        ),
    ),
    optional(
        "price_sum",
        Decimal(
            |bar| bar.price_sum,
            |bar, sum| set_any(&mut bar.price_sum, sum),
        ),
    ),
    optional("avg_price", Ratio(Bar::avg_price)),
    required(
        "late",
        Count(|bar| Some(bar.late), |bar, late| set(&mut bar.late, late)),
    ),
    required(
        "basis",
        Text(
            |_, bar| Some(names(bar.basis)),
            |_, bar, text| set(&mut bar.basis, text.and_then(bases)),
        ),
    ),
    optional(
        "source",
        Text(
            |_, bar| bar.subject.source.as_deref(),
            |_, bar, text| own(&mut bar.subject.source, text),
        ),
    ),
    optional(
        "currency",
        Text(
            |_, bar| bar.subject.currency.as_deref(),
            |_, bar, text| own(&mut bar.subject.currency, text),
        ),
    ),
    optional(
        "mic",
        Text(
            |_, bar| bar.subject.mic.as_deref(),
            |_, bar, text| own(&mut bar.subject.mic, text),
        ),
    ),
    required(
        "trading_date",
        Day(
            |bar| Some(bar.trading_date),
            |bar, date| set(&mut bar.trading_date, date),
        ),
    ),
    optional(
        "first_event_time",
        Time(
            |bar| bar.first_event_time,
            |bar, time| set_any(&mut bar.first_event_time, time),
        ),
    ),
    optional(
        "last_event_time",
        Time(
            |bar| bar.last_event_time,
            |bar, time| set_any(&mut bar.last_event_time, time),
        ),
    ),
    optional(
        "session_volume",
        Decimal(
            |bar| bar.session_volume,
            |bar, volume| set_any(&mut bar.session_volume, volume),
        ),
    ),
    optional(
        "close_event_id",
        Id(
            |bar| bar.close_event_id,
            |bar, id| set_any(&mut bar.close_event_id, id),
        ),
    ),
    required(
        "complete",
        Flag(
            |bar| Some(bar.complete),
            |bar, complete| set(&mut bar.complete, complete),
        ),
    ),
];

const fn required(name: &'static str, values: Values) -> Field {
    Field {
        name,
        required: true,
        values,
    }
}

const fn optional(name: &'static str, values: Values) -> Field {
    Field {
        name,
        required: false,
        values,
    }
}

fn set<T>(place: &mut T, value: Option<T>) -> bool {
    value.map(|value| *place = value).is_some()
}

fn set_any<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    *place = value;
    true
}

fn own(place: &mut Option<String>, text: Option<&str>) -> bool {
    set_any(place, text.map(str::to_owned))
}

/// After the open, which says whether there are prices.
fn set_price(bar: &mut Bar, price: Option<Amount>, place: fn(&mut Prices) -> &mut Amount) -> bool {
    match (&mut bar.prices, price) {
        (Some(prices), Some(price)) => {
            *place(prices) = price;
            true
        }
        (prices, price) => prices.is_none() && price.is_none(),
    }
}

fn zone(name: &str) -> Option<Zone> {
    let zones = [Zone::Utc, Zone::NewYork, Zone::HoChiMinh];
    zones.into_iter().find(|zone| zone.name() == name)
}

/// The names of each set of bases. Those of none are empty.
static BASES: LazyLock<Vec<(Bases, String)>> = LazyLock::new(|| {
    let both = |sets: Vec<Bases>, basis: Bases| {
        let with = sets.iter().map(|set| set.and(basis)).collect();
        [sets, with].concat()
    };
    let all = [Bases::TRADE, Bases::QUOTE, Bases::PROVIDER];
    let sets = all.into_iter().fold(vec![Bases::default()], both);
    sets.into_iter().map(|set| (set, set.names())).collect()
});

fn names(bases: Bases) -> &'static str {
    BASES
        .iter()
        .find(|(set, _)| *set == bases)
        .map_or("", |(_, names)| names)
}

fn bases(names: &str) -> Option<Bases> {
    BASES
        .iter()
        .find(|(_, known)| known == names)
        .map(|(set, _)| *set)
}

/// What a bar is before its columns are put into it.
pub(super) fn no_bar() -> Bar {
    Bar {
        price_sum: None,
        ..Bar::empty(0, 0, Date::constant(1970, 1, 1))
    }
}
