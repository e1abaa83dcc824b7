use std::{fmt::Display, pin::pin};

use futures::TryStreamExt;
use lake::{
    Layout, ObjectKey, Reason, Received, read_line,
    store::{Get, List},
};
use tables::{NoRow, Row};

use super::{DatabaseError, Kafka, Lake, Scope};
use crate::verify::{
    Progress, STEP, Topics,
    objects::{self, Place, Stored, read_objects},
    received,
};

/// Something that was read.
#[expect(
    clippy::large_enum_variant,
    reason = "it is passed on at once, and most are records"
)]
pub(super) enum Found<'a> {
    /// The function has put a record aside.
    Aside {
        topic: &'a str,
        partition: i32,
        offset: i64,
    },
    /// A record.
    Record(Record<'a>),
    /// An object of the lake that can't be read.
    Damaged(&'a dyn Display, String),
    /// An object of this topic in the lake was read whole.
    Object(&'a str),
}

/// A record, and what it becomes.
pub(super) struct Record<'a> {
    pub(super) received: &'a Received<'a>,
    pub(super) row: Result<Option<Row>, NoRow>,
    /// Why bronze has it aside.
    pub(super) reason: Option<Reason>,
    pub(super) of_lake: bool,
}

/// Reads what is aside, then every record of Kafka and of bronze; so a record may come twice.
pub(super) async fn each_record<S: Get + List, T: Topics>(
    lake: &Lake<'_, S>,
    kafka: Option<&Kafka<'_, T>>,
    scope: &Scope<'_>,
    progress: &(dyn Fn(Progress) + Sync),
    found: &mut impl FnMut(Found<'_>),
) -> Result<(), DatabaseError> {
    let topics: Vec<&str> = scope.topics.iter().map(String::as_str).collect();
    let root = lake.aside.quarantine_root();
    read_objects(
        lake.store,
        lake.aside,
        &root,
        &topics,
        |object| match object {
            objects::Found::Record(Stored {
                topic,
                partition,
                offset,
                ..
            }) => found(Found::Aside {
                topic,
                partition,
                offset,
            }),
            objects::Found::Damaged(key, why) => found(Found::Damaged(key, why)),
            _ => {}
        },
    )
    .await?;
    if let Some(kafka) = kafka {
        of_kafka(kafka, scope, progress, found).await?;
    }
    let Some(layout) = lake.layout else {
        return Ok(());
    };
    let (mut objects, mut records) = (0, 0);
    progress(Progress::Store { objects, records });
    let mut value = Vec::new();
    for topic in &topics {
        for root in [
            layout.topic_root(topic),
            layout.quarantine_topic_root(topic),
        ] {
            read_objects(lake.store, layout, &root, &[topic], |object| match object {
                objects::Found::Record(Stored { place, .. }) => {
                    records += 1;
                    of_place(layout, place, scope.epoch, &mut value, found);
                }
                objects::Found::Object(_) => {
                    objects += 1;
                    progress(Progress::Store { objects, records });
                    found(Found::Object(topic));
                }
                objects::Found::Damaged(key, why) => found(Found::Damaged(key, why)),
                _ => {}
            })
            .await?;
        }
    }
    Ok(())
}

fn of_place(
    layout: &Layout,
    place: Place<'_>,
    epoch: &str,
    value: &mut Vec<u8>,
    found: &mut impl FnMut(Found<'_>),
) {
    let mut record = |received: &Received<'_>, reason| {
        found(Found::Record(Record {
            received,
            row: tables::read(received, epoch),
            reason,
            of_lake: true,
        }));
    };
    match place {
        Place::Quarantine(_, None) => {}
        Place::Quarantine(reason, Some(received)) => record(&received, Some(reason)),
        Place::Bronze(line) => {
            let Ok(line) = read_line(layout.version(), line) else {
                return;
            };
            match line.received(value) {
                Some(received) => record(&received, None),
                None => {
                    let key: ObjectKey = layout.bronze_key(line.place());
                    let why = format!("its line of offset {} was edited", line.offset);
                    found(Found::Damaged(&key, why));
                }
            }
        }
    }
}

async fn of_kafka(
    Kafka { topics, ranges }: &Kafka<'_, impl Topics>,
    scope: &Scope<'_>,
    progress: &(dyn Fn(Progress) + Sync),
    found: &mut impl FnMut(Found<'_>),
) -> Result<(), DatabaseError> {
    let lengths = ranges
        .iter()
        .map(|range| range.offsets.end - range.offsets.start);
    let of = lengths
        .filter_map(|length| u64::try_from(length).ok())
        .sum();
    let mut read = 0;
    progress(Progress::Topics { read, of });
    for topic in scope.topics {
        let of_topic = ranges.iter().filter(|range| range.topic == *topic);
        let of_topic: Vec<_> = of_topic
            .map(|range| (range.partition, range.offsets.clone()))
            .collect();
        if of_topic.is_empty() {
            continue;
        }
        let mut records = pin!(topics.read(topic, of_topic));
        while let Some(record) = records.try_next().await? {
            received(topic, &record, |received| {
                found(Found::Record(Record {
                    row: tables::read(&received, scope.epoch),
                    received: &received,
                    reason: None,
                    of_lake: false,
                }));
            });
            read += 1;
            if read % STEP == 0 {
                progress(Progress::Topics { read, of });
            }
        }
    }
    progress(Progress::Topics { read, of });
    Ok(())
}
