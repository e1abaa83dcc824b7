use sha2::{Digest, Sha256};

use super::Row;
use crate::Number;

impl Row {
    /// The SHA-256 of all columns: equal rows have equal digests.
    ///
    /// Of each column in the order of [`Row`]'s fields: a byte 0 for `None`; else a byte 1, its length in bytes as
    /// 64 bits, big end first, and its text. A whole number is in decimal digits, a time in whole microseconds since 1970,
    /// a date as `2026-05-22`. A list is a byte 1, its length, and each text as a column.
    pub fn digest(&self) -> [u8; 32] {
        // Named one by one: a new column can't be forgotten.
        let Self {
            topic,
            epoch,
            partition,
            offset,
            ticker,
            time,
            price,
            volume,
            total_volume,
            change,
            change_percent,
            ceiling_price,
            floor_price,
            reference_price,
            highest_price,
            lowest_price,
            bid_price,
            ask_price,
            created_at,
            event_id,
            source,
            currency,
            mic,
            session,
            trading_date,
            flags,
        } = self;
        let mut columns = Columns(Sha256::new());
        columns.text(Some(topic));
        columns.text(Some(epoch));
        columns.text(Some(&partition.to_string()));
        columns.text(Some(&offset.to_string()));
        columns.text(Some(ticker));
        columns.text(
            time.map(|time| time.as_microsecond().to_string())
                .as_deref(),
        );
        columns.text(Some(price.as_str()));
        for number in [
            volume,
            total_volume,
            change,
            change_percent,
            ceiling_price,
            floor_price,
            reference_price,
            highest_price,
            lowest_price,
            bid_price,
            ask_price,
        ] {
            columns.text(number.as_ref().map(Number::as_str));
        }
        columns.text(Some(&created_at.as_microsecond().to_string()));
        for text in [event_id, source, currency, mic, session] {
            columns.text(text.as_deref());
        }
        columns.text(trading_date.map(|date| date.to_string()).as_deref());
        columns.texts(flags.as_deref());
        columns.0.finalize().into()
    }
}

struct Columns(Sha256);

impl Columns {
    fn text(&mut self, text: Option<&str>) {
        if self.begin(text.map(str::len)) {
            self.0.update(text.unwrap_or_default());
        }
    }

    fn texts(&mut self, texts: Option<&[String]>) {
        if self.begin(texts.map(<[String]>::len)) {
            for text in texts.unwrap_or_default() {
                self.text(Some(text));
            }
        }
    }

    /// Whether there is something.
    fn begin(&mut self, length: Option<usize>) -> bool {
        match length {
            None => self.0.update([0]),
            Some(length) => {
                self.0.update([1]);
                self.0.update((length as u64).to_be_bytes());
            }
        }
        length.is_some()
    }
}
