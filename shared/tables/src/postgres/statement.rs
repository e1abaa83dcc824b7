//! The one statement that brings a batch in.
//!
//! It is its own transaction, has no name and sets nothing, so that a pooler may give it to any connection. History comes
//! before the latest quotes and each in the order of its key, so two writers wait for each other and never in a circle.

use std::ptr;

use jiff::{Timestamp, civil::Date};
use tokio_postgres::{
    Client, Error,
    types::{ToSql, Type},
};

use crate::{Number, Row, Upserted, key, latest};

/// The columns of a row, in the tables' order.
macro_rules! columns {
    () => {
        "ticker, time, price, volume, total_volume, change, change_percent, ceiling_price, floor_price, \
         reference_price, highest_price, lowest_price, bid_price, ask_price, created_at, topic, epoch, \
         kafka_partition, kafka_offset, event_id, source, currency, mic, session, trading_date, flags"
    };
}

/// The same of a row that the table has another for; not `excluded.*`, as a later version may have more columns.
macro_rules! excluded {
    () => {
        "excluded.ticker, excluded.time, excluded.price, excluded.volume, excluded.total_volume, excluded.change, \
         excluded.change_percent, excluded.ceiling_price, excluded.floor_price, excluded.reference_price, \
         excluded.highest_price, excluded.lowest_price, excluded.bid_price, excluded.ask_price, excluded.created_at, \
         excluded.topic, excluded.epoch, excluded.kafka_partition, excluded.kafka_offset, excluded.event_id, \
         excluded.source, excluded.currency, excluded.mic, excluded.session, excluded.trading_date, excluded.flags"
    };
}

/// The rows of the parameters. Numbers and flags travel as their text: no type of the client holds all their digits.
macro_rules! batch {
    () => {
        concat!(
            "WITH batch AS MATERIALIZED (
                SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], \
                $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], \
                $15::timestamptz[], $16::text[], $17::text[], $18::integer[], $19::bigint[], $20::text[], $21::text[], \
                $22::text[], $23::text[], $24::text[], $25::date[], $26::text[], $27::boolean[])
                AS record (",
            columns!(),
            ", is_latest)
            )"
        )
    };
}

/// A row of the batch as the tables have it, `source` left to the table.
macro_rules! values {
    ($source:literal) => {
        concat!(
            "SELECT ticker, time, price::numeric, volume::numeric, total_volume::numeric, change::numeric, \
             change_percent::numeric, ceiling_price::numeric, floor_price::numeric, reference_price::numeric, \
             highest_price::numeric, lowest_price::numeric, bid_price::numeric, ask_price::numeric, created_at, topic, \
             epoch, kafka_partition, kafka_offset, event_id, ",
            $source,
            ", currency, mic, session, trading_date, flags::text[] FROM batch"
        )
    };
}

macro_rules! history {
    () => {
        concat!(
            ", history AS (
                INSERT INTO realtime_quotes (",
            columns!(),
            ") ",
            values!("source"),
            "
                ON CONFLICT (topic, epoch, kafka_partition, kafka_offset, created_at) DO NOTHING
                RETURNING 1
            )"
        )
    };
}

macro_rules! newest {
    () => {
        concat!(
            ", newest AS (
                INSERT INTO latest_quotes AS held (",
            columns!(),
            ") ",
            values!("coalesce(source, '')"),
            " WHERE is_latest
                ORDER BY ticker COLLATE \"C\", coalesce(source, '') COLLATE \"C\"
                ON CONFLICT (ticker, source) DO UPDATE SET (",
            columns!(),
            ") = ROW (",
            excluded!(),
            ")
                WHERE (coalesce(excluded.time, '-infinity'), excluded.created_at, excluded.kafka_offset, excluded.topic,
                    excluded.epoch, excluded.kafka_partition)
                    > (coalesce(held.time, '-infinity'), held.created_at, held.kafka_offset, held.topic, held.epoch,
                    held.kafka_partition)
                RETURNING 1
            )"
        )
    };
}

const BOTH: &str = concat!(
    batch!(),
    history!(),
    newest!(),
    " SELECT (SELECT count(*) FROM history), (SELECT count(*) FROM newest)"
);

const LATEST: &str = concat!(
    batch!(),
    newest!(),
    " SELECT 0::bigint, (SELECT count(*) FROM newest)"
);

/// A batch as one array for each column.
pub(super) struct Batch<'r> {
    keeps_history: bool,
    rows: Vec<&'r Row>,
    is_latest: Vec<bool>,
    flags: Vec<Option<String>>,
}

impl<'r> Batch<'r> {
    /// The rows in the order of their coordinates. Without history only those that may be the latest.
    pub(super) fn of(rows: &'r [Row], keeps_history: bool) -> Self {
        let newest = latest(rows.iter());
        let mut batch: Vec<&Row> = match keeps_history {
            true => rows.iter().collect(),
            false => newest.clone(),
        };
        batch.sort_by_key(|row| coordinates(row));
        let is_latest = batch
            .iter()
            .map(|&row| {
                let found = newest.binary_search_by(|held| key(held).cmp(&key(row)));
                found.is_ok_and(|at| ptr::eq(newest[at], row))
            })
            .collect();
        let flags = batch
            .iter()
            .map(|row| Some(array(row.flags.as_ref()?)))
            .collect();
        Self {
            keeps_history,
            rows: batch,
            is_latest,
            flags,
        }
    }

    /// Brings the rows in.
    pub(super) async fn write(&self, client: &Client) -> Result<Upserted, Error> {
        let (texts, numbers) = (
            |of: fn(&'r Row) -> &'r str| self.column(of),
            |of: fn(&'r Row) -> Option<&'r Number>| self.column(|row| of(row).map(Number::as_str)),
        );
        let words = |of: fn(&'r Row) -> Option<&'r str>| self.column(of);
        let ticker = texts(|row| &row.ticker);
        let time: Vec<Option<Timestamp>> = self.column(|row| row.time);
        let price = numbers(|row| Some(&row.price));
        let volume = numbers(|row| row.volume.as_ref());
        let total_volume = numbers(|row| row.total_volume.as_ref());
        let change = numbers(|row| row.change.as_ref());
        let change_percent = numbers(|row| row.change_percent.as_ref());
        let ceiling_price = numbers(|row| row.ceiling_price.as_ref());
        let floor_price = numbers(|row| row.floor_price.as_ref());
        let reference_price = numbers(|row| row.reference_price.as_ref());
        let highest_price = numbers(|row| row.highest_price.as_ref());
        let lowest_price = numbers(|row| row.lowest_price.as_ref());
        let bid_price = numbers(|row| row.bid_price.as_ref());
        let ask_price = numbers(|row| row.ask_price.as_ref());
        let created_at: Vec<Timestamp> = self.column(|row| row.created_at);
        let topic = texts(|row| &row.topic);
        let epoch = texts(|row| &row.epoch);
        let partition: Vec<i32> = self.column(|row| row.partition);
        let offset: Vec<i64> = self.column(|row| row.offset);
        let event_id = words(|row| row.event_id.as_deref());
        let source = words(|row| row.source.as_deref());
        let currency = words(|row| row.currency.as_deref());
        let mic = words(|row| row.mic.as_deref());
        let session = words(|row| row.session.as_deref());
        let trading_date: Vec<Option<Date>> = self.column(|row| row.trading_date);
        let parameters: [(&(dyn ToSql + Sync), Type); 27] = [
            (&ticker, Type::TEXT_ARRAY),
            (&time, Type::TIMESTAMPTZ_ARRAY),
            (&price, Type::TEXT_ARRAY),
            (&volume, Type::TEXT_ARRAY),
            (&total_volume, Type::TEXT_ARRAY),
            (&change, Type::TEXT_ARRAY),
            (&change_percent, Type::TEXT_ARRAY),
            (&ceiling_price, Type::TEXT_ARRAY),
            (&floor_price, Type::TEXT_ARRAY),
            (&reference_price, Type::TEXT_ARRAY),
            (&highest_price, Type::TEXT_ARRAY),
            (&lowest_price, Type::TEXT_ARRAY),
            (&bid_price, Type::TEXT_ARRAY),
            (&ask_price, Type::TEXT_ARRAY),
            (&created_at, Type::TIMESTAMPTZ_ARRAY),
            (&topic, Type::TEXT_ARRAY),
            (&epoch, Type::TEXT_ARRAY),
            (&partition, Type::INT4_ARRAY),
            (&offset, Type::INT8_ARRAY),
            (&event_id, Type::TEXT_ARRAY),
            (&source, Type::TEXT_ARRAY),
            (&currency, Type::TEXT_ARRAY),
            (&mic, Type::TEXT_ARRAY),
            (&session, Type::TEXT_ARRAY),
            (&trading_date, Type::DATE_ARRAY),
            (&self.flags, Type::TEXT_ARRAY),
            (&self.is_latest, Type::BOOL_ARRAY),
        ];
        let statement = if self.keeps_history { BOTH } else { LATEST };
        let counted = client.query_typed(statement, &parameters).await?;
        let count = |column: usize| -> Result<u64, Error> {
            let counts: Result<Vec<i64>, Error> =
                counted.iter().map(|row| row.try_get(column)).collect();
            Ok(counts?.into_iter().map(i64::unsigned_abs).sum())
        };
        Ok(Upserted {
            history: count(0)?,
            latest: count(1)?,
        })
    }

    fn column<T>(&self, of: impl Fn(&'r Row) -> T) -> Vec<T> {
        self.rows.iter().map(|row| of(row)).collect()
    }
}

fn coordinates(row: &Row) -> (&str, &str, i32, i64, Timestamp) {
    (
        &row.topic,
        &row.epoch,
        row.partition,
        row.offset,
        row.created_at,
    )
}

/// The literal of an array of texts (PostgreSQL manual, "Array Input and Output Syntax").
fn array(texts: &[String]) -> String {
    let mut literal = String::from("{");
    for text in texts {
        if literal.len() > 1 {
            literal.push(',');
        }
        literal.push('"');
        for character in text.chars() {
            if character == '"' || character == '\\' {
                literal.push('\\');
            }
            literal.push(character);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_an_array_may_hold_whatever_a_text_may() {
        let texts = |texts: &[&str]| {
            array(
                &texts
                    .iter()
                    .map(|&text| text.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(texts(&[]), "{}");
        assert_eq!(texts(&["", "null", "a b"]), r#"{"","null","a b"}"#);
        assert_eq!(texts(&[r#"a"b\c,{}"#, "\n"]), "{\"a\\\"b\\\\c,{}\",\"\n\"}");
    }

    #[test]
    fn nothing_of_a_statement_outlives_it() {
        for statement in [BOTH, LATEST] {
            for word in ["SET SESSION", "SET LOCAL", "TEMP", "PREPARE", "LOCK"] {
                assert!(!statement.contains(word), "{word}");
            }
        }
    }
}
