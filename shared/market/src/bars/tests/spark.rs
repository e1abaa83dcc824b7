//! What Spark Structured Streaming made of 37 sequences of rows, and where ours is another. The fixture says how it
//! was recorded. docs/silver-and-spark.md is written from the table here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::Deserialize;
use serde_json::Number;

use super::*;
use table::{DIFFERENCES, Difference, REASONS};

mod table;

#[derive(Deserialize)]
struct Recorded {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    case: String,
    says: String,
    mode: String,
    rows: Vec<Row>,
    emitted: Vec<Emitted>,
    failed: bool,
}

/// Symbol, event time, price, volume.
#[derive(Deserialize)]
struct Row(
    Option<String>,
    Option<String>,
    Option<Number>,
    Option<Number>,
);

/// Window start, window end, symbol, open, high, low, close, volume, count, average.
#[derive(Deserialize)]
struct Emitted(
    String,
    String,
    Option<String>,
    Option<Number>,
    Number,
    Number,
    Option<Number>,
    Number,
    i64,
    f64,
);

/// When the rows were fetched, which Spark's rows do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetched {
    /// Each at its event, or when the latest row before it was: our bars are the same.
    Either,
    /// Each at its event, so that none is late.
    AtEvent,
    /// As the rows arrived: when the latest row so far was.
    OnArrival,
}

/// The one row whose clock is wrong: it moves no clock here.
const WRONG_CLOCK: &str = "2026-03-05T12:00:00Z";

fn recorded() -> Vec<Case> {
    let recorded: Recorded =
        serde_json::from_str(include_str!("../fixtures/spark-4.3.0.json")).unwrap();
    recorded.cases
}

impl Case {
    fn interval(&self) -> Interval {
        match self.case.as_str() {
            "c_window_1min" => Interval::Minute,
            _ => Interval::Day,
        }
    }

    /// The bronze lines of the rows by symbol, as a poller would have published them: one observation, one `event_id`.
    fn lines(&self, fetched: Fetched) -> BTreeMap<Option<String>, Vec<String>> {
        let mut lines = BTreeMap::<_, Vec<_>>::new();
        let mut clock = 0;
        for (Row(symbol, event, price, volume), offset) in self.rows.iter().zip(0..) {
            let at = event
                .as_deref()
                .and_then(|text| text.parse::<Timestamp>().ok());
            let at = at.map(Timestamp::as_microsecond);
            if event.as_deref() != Some(WRONG_CLOCK) {
                clock = at.unwrap_or(clock).max(clock);
            }
            let fetched = match fetched {
                Fetched::OnArrival => clock,
                _ => at.unwrap_or(clock),
            };
            let fetched = Timestamp::from_microsecond(fetched.max(1_000)).unwrap();
            let meta = serde_json::json!({
                "schema": "trades-raw/1", "event_time": event, "fetched_at": fetched.to_string(),
                "event_id": format!("{symbol:?} {event:?} {price:?} {volume:?}"),
            });
            let line = serde_json::json!({
                "symbol": symbol, "price": price, "size": volume, "meta": meta,
                "_kafka": {"partition": 0, "offset": offset},
            });
            lines
                .entry(symbol.clone())
                .or_default()
                .push(line.to_string());
        }
        lines
    }

    /// What is different, in words; empty if nothing is.
    fn differences(&self, fetched: Fetched) -> String {
        let mut ours = BTreeMap::new();
        let mut outcomes = Vec::new();
        for (symbol, lines) in self.lines(fetched) {
            let (reader, mut held, of_lines) = read("any", &lines);
            outcomes.extend(of_lines);
            let minutes = minutes(&mut held.observed, reader.subjects(), &Rules::default());
            let bars = match self.interval() {
                Interval::Minute => minutes,
                _ => days(&hours(&minutes)),
            };
            let name = symbol.unwrap_or_else(|| "NULL".to_owned());
            ours.extend(bars.into_iter().map(|bar| ((bar.start, name.clone()), bar)));
        }
        // In the modes complete and update a window comes again: the last one is its state.
        let window = |row: Emitted| {
            let start = time(&format!("{}Z", row.0.replace(' ', "T")));
            let end = time(&format!("{}Z", row.1.replace(' ', "T")));
            let name = row.2.clone().unwrap_or_else(|| "NULL".to_owned());
            ((start, name), (end, row))
        };
        let emitted = recorded()
            .into_iter()
            .find(|case| case.case == self.case)
            .unwrap()
            .emitted;
        let spark: BTreeMap<_, _> = emitted.into_iter().map(window).collect();
        let keys: BTreeSet<_> = ours.keys().chain(spark.keys()).collect();
        let of_bar = |key: &&(i64, String)| {
            let label = self.label(key);
            match (ours.get(*key), spark.get(*key)) {
                (Some(bar), Some((end, row))) => {
                    assert_eq!(bar.end, *end);
                    let columns = columns(bar, row);
                    (!columns.is_empty()).then(|| format!("{label}: {columns}"))
                }
                (Some(bar), None) => {
                    let prices = if bar.prices.is_none() {
                        ", without prices"
                    } else {
                        ""
                    };
                    let late = if bar.late > 0 {
                        format!(", {} late", bar.late)
                    } else {
                        String::new()
                    };
                    Some(format!("{label}: ours only{prices}{late}"))
                }
                _ => Some(format!("{label}: Spark's only")),
            }
        };
        let mut found: Vec<_> = keys.iter().filter_map(of_bar).collect();
        for outcome in [
            "no-event-time",
            "ahead",
            "it has no price",
            "it has no size",
            "it has no symbol",
        ] {
            let count = outcomes
                .iter()
                .filter(|one| one.starts_with(outcome))
                .count();
            if count > 0 {
                found.push(format!("{count} × {outcome}"));
            }
        }
        if self.failed {
            found.push("Spark's query fails".to_owned());
        }
        found.join("; ")
    }

    fn label(&self, (start, symbol): &(i64, String)) -> String {
        let start = Timestamp::from_microsecond(*start).unwrap();
        match self.interval() {
            Interval::Minute => format!("{symbol} {}", start.strftime("%H:%M")),
            _ => format!("{symbol} {}", start.strftime("%-d March")),
        }
    }
}

/// The columns that differ, ours first.
fn columns(bar: &Bar, row: &Emitted) -> String {
    let Emitted(_, _, _, open, high, low, close, volume, count, average) = row;
    let number = |number: &Number| Some(amount(&number.to_string()));
    let ours = bar.prices;
    let text = |amount: Option<Amount>| {
        amount.map_or_else(|| "null".to_owned(), |amount| amount.to_string())
    };
    if ours.is_none() {
        return format!("without prices, {} late", bar.late);
    }
    let columns = [
        (
            "open",
            ours.map(|ours| ours.open),
            open.as_ref().and_then(number),
        ),
        ("high", ours.map(|ours| ours.high), number(high)),
        ("low", ours.map(|ours| ours.low), number(low)),
        (
            "close",
            ours.map(|ours| ours.close),
            close.as_ref().and_then(number),
        ),
        ("volume", bar.volume, number(volume)),
    ];
    let differ = columns.into_iter().filter(|(_, ours, spark)| ours != spark);
    let mut differ: Vec<_> = differ
        .map(|(name, ours, spark)| format!("{name} {} / {}", text(ours), text(spark)))
        .collect();
    if bar.ticks != *count {
        differ.push(format!("count {} / {count}", bar.ticks));
    }
    if bar.avg_price() != Some(*average) {
        let ours = bar
            .avg_price()
            .map_or_else(|| "null".to_owned(), |ours| ours.to_string());
        differ.push(format!("avg {ours} / {average}"));
    }
    if bar.late > 0 {
        differ.push(format!("{} late", bar.late));
    }
    differ.join(", ")
}

#[test]
fn our_bars_are_spark_s_but_for_the_differences_in_the_table() {
    let mut found = Vec::new();
    for case in recorded() {
        let [at_event, on_arrival] =
            [Fetched::AtEvent, Fetched::OnArrival].map(|fetched| case.differences(fetched));
        if at_event == on_arrival {
            found.push((case.case, Fetched::Either, at_event));
        } else {
            found.push((case.case.clone(), Fetched::AtEvent, at_event));
            found.push((case.case, Fetched::OnArrival, on_arrival));
        }
    }
    let listed = |one: &Difference| (one.case.to_owned(), one.fetched, one.differs.to_owned());
    let listed: Vec<_> = DIFFERENCES.iter().map(listed).collect();
    for (found, listed) in found.iter().zip(&listed) {
        assert_eq!(found, listed, "found, and as the table has it");
    }
    assert_eq!(found.len(), listed.len());
}

#[test]
fn every_sequence_of_spark_is_in_the_table() {
    let recorded: BTreeSet<_> = recorded().into_iter().map(|case| case.case).collect();
    let listed: BTreeSet<_> = DIFFERENCES.iter().map(|one| one.case.to_owned()).collect();
    assert_eq!(recorded.len(), 37);
    assert_eq!(recorded, listed);
}

#[test]
fn every_difference_has_a_reason_and_every_reason_is_one_s() {
    let given: BTreeSet<_> = DIFFERENCES
        .iter()
        .flat_map(|one| one.why)
        .copied()
        .collect();
    let known: BTreeSet<_> = REASONS.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(given, known);
    for one in DIFFERENCES {
        assert_eq!(one.differs.is_empty(), one.why.is_empty(), "{}", one.case);
    }
}

#[test]
fn the_guide_for_users_of_spark_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/silver-and-spark.md");
    let guide = fs::read_to_string(&path).unwrap();
    let (before, after) = guide.split_once("<!-- sequences: ").unwrap();
    let (comment, after) = after.split_once('\n').unwrap();
    let (_, after) = after.split_once("<!-- end -->").unwrap();
    let table = written();
    let written = format!("{before}<!-- sequences: {comment}\n{table}<!-- end -->{after}");
    #[expect(
        clippy::disallowed_methods,
        reason = "a test that writes a document is told so as the others are"
    )]
    if std::env::var_os("QUOTELAKE_WRITE").is_some() {
        fs::write(&path, written).unwrap();
    } else {
        assert!(
            guide == written,
            "docs/silver-and-spark.md: write it with QUOTELAKE_WRITE=1"
        );
    }
}

fn written() -> String {
    let cases: BTreeMap<_, _> = recorded()
        .into_iter()
        .map(|case| (case.case.clone(), case))
        .collect();
    let mut rows = String::new();
    for (reason, meaning) in REASONS {
        rows.push_str(&format!("- **{reason}**: {meaning}\n"));
    }
    rows.push_str("\n| sequence | fetched | ours / Spark's | why |\n|---|---|---|---|\n");
    for Difference {
        case,
        fetched,
        differs,
        why,
    } in DIFFERENCES
    {
        let Case { says, mode, .. } = &cases[*case];
        let mode = if mode == "append" {
            String::new()
        } else {
            format!(" ({mode} mode)")
        };
        let says = if *fetched == Fetched::OnArrival {
            String::new()
        } else {
            format!(": {says}{mode}")
        };
        let fetched = match fetched {
            Fetched::Either => "either",
            Fetched::AtEvent => "at the event",
            Fetched::OnArrival => "on arrival",
        };
        let differs = if differs.is_empty() { "equal" } else { differs };
        let why = why.join(", ");
        rows.push_str(&format!(
            "| `{case}`{says} | {fetched} | {differs} | {why} |\n"
        ));
    }
    rows
}
