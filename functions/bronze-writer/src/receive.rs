use lake::{Admitted, Header, Layout, Received, malformed};
use stream::event::{Field, KafkaEvent, Record};

/// A record of the event, on its way to the lake.
pub(crate) enum Incoming {
    /// Taken apart.
    Record(Received),
    /// Described in a way that can't be read.
    Malformed(Malformed),
}

/// A record that the event describes in a way that can't be read.
pub(crate) struct Malformed {
    topic: String,
    partition: i32,
    offset: Option<i64>,
    json: String,
    detail: &'static str,
}

/// Where a record is in Kafka; a malformed one may lack its offset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: Option<i64>,
}

impl Incoming {
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Record(received) => Place {
                topic: received.topic.clone(),
                partition: received.partition,
                offset: Some(received.offset),
            },
            Self::Malformed(malformed) => Place {
                topic: malformed.topic.clone(),
                partition: malformed.partition,
                offset: malformed.offset,
            },
        }
    }
}

impl Malformed {
    pub(crate) fn quarantine(&self, layout: &Layout) -> Admitted {
        malformed(
            layout,
            &self.topic,
            self.partition,
            self.offset,
            &self.json,
            self.detail,
        )
    }
}

/// The records of `event` one by one.
pub(crate) fn records<'a>(event: &'a KafkaEvent<'a>) -> impl Iterator<Item = Incoming> + 'a {
    event.partitions.iter().flat_map(|(name, records)| {
        records.iter().map(|json| {
            let record = Record::decode(json);
            receive(name, &record).map_or_else(
                |detail| Incoming::Malformed(malformed_record(name, &record, json.get(), detail)),
                Incoming::Record,
            )
        })
    })
}

fn malformed_record(
    name: &str,
    record: &Record<'_>,
    json: &str,
    detail: &'static str,
) -> Malformed {
    let (topic, partition) = coordinates(name, record);
    Malformed {
        topic,
        partition,
        offset: record.offset.is().copied(),
        json: json.to_owned(),
        detail,
    }
}

fn receive(name: &str, record: &Record<'_>) -> Result<Received, &'static str> {
    let (topic, partition) = coordinates(name, record);
    Ok(Received {
        topic,
        partition,
        offset: *record.offset.is().ok_or("the record has no offset")?,
        timestamp: record.timestamp.is().copied().filter(|&time| time >= 0),
        key: bytes(&record.key, "the key is not Base64")?,
        headers: headers(record)?,
        value: bytes(&record.value, "the value is not Base64")?,
    })
}

/// The record's own topic and partition, else those of the map's key, `<topic>-<partition>`.
fn coordinates(name: &str, record: &Record<'_>) -> (String, i32) {
    let (topic, partition) = name.rsplit_once('-').unwrap_or((name, ""));
    let own = record
        .partition
        .is()
        .and_then(|&own| i32::try_from(own).ok());
    (
        record.topic.is().map_or(topic, |own| own).to_owned(),
        own.or_else(|| partition.parse().ok()).unwrap_or(-1),
    )
}

fn bytes(
    field: &Field<impl AsRef<str>>,
    otherwise: &'static str,
) -> Result<Option<Vec<u8>>, &'static str> {
    match field {
        Field::Absent => Ok(None),
        Field::Odd => Err(otherwise),
        Field::Is(text) => base64_simd::STANDARD
            .decode_to_vec(text.as_ref())
            .map(Some)
            .map_err(|_| otherwise),
    }
}

fn headers(record: &Record<'_>) -> Result<Vec<Header>, &'static str> {
    let odd = "a header is no list of bytes";
    let headers = match &record.headers {
        Field::Absent => return Ok(Vec::new()),
        Field::Odd => return Err(odd),
        Field::Is(headers) => headers,
    };
    headers
        .iter()
        .map(|(name, value)| match value {
            Field::Absent => Ok((name.to_string(), None)),
            Field::Odd => Err(odd),
            Field::Is(bytes) => Ok((name.to_string(), Some(bytes.clone()))),
        })
        .collect()
}
