use std::collections::BTreeSet;

use lake::{
    Layout, ObjectKey,
    store::{List, StoreError},
};
use stream::{
    OffsetRange,
    topics::{TopicError, check_name},
};

use super::{BINARY, KafkaTopics, Options, TargetError};
use crate::lake_location::OpenLake;

/// What the brokers hold of the topics that are verified.
pub(super) struct Held {
    pub(super) expected: Vec<OffsetRange>,
    /// Topics of the template that the brokers don't have, of which the lake has nothing either.
    pub(super) absent: Vec<String>,
}

/// All that the brokers hold of the topics that are asked for, else of those of the lake and of the triggers of the template's bronze writers:
/// of a topic whose records never landed the lake has no trace.
pub(super) async fn held(
    options: &Options,
    topics: &KafkaTopics,
    lake: &OpenLake,
) -> Result<Held, TargetError> {
    let mut held = Held {
        expected: Vec::new(),
        absent: Vec::new(),
    };
    if !options.topics.is_empty() {
        for topic in &options.topics {
            held.expected.extend(topics.all_of(topic).await?);
        }
        return Ok(held);
    }
    let (store, layout) = (lake.s3(), lake.layout());
    let mut landed = BTreeSet::from_iter(topics_in_bronze(store, layout).await?);
    landed.extend(topics_under(store, &layout.quarantine_root(), "").await?);
    for topic in landed.union(&triggered(options)?) {
        match topics.all_of(topic).await {
            Ok(of_topic) => held.expected.extend(of_topic),
            Err(TopicError::Unknown { brokers, topic }) if landed.contains(&topic) => {
                return Err(TargetError::Gone { brokers, topic });
            }
            Err(TopicError::Unknown { topic, .. }) => held.absent.push(topic),
            Err(error @ TopicError::Refused { .. }) if !landed.contains(topic) => {
                return Err(TargetError::NotYours(error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if held.expected.is_empty() {
        return Err(TargetError::NoneHeld {
            brokers: topics.cluster().to_string(),
            topics: held.absent,
        });
    }
    Ok(held)
}

/// The topics of the Kafka triggers of the template's bronze writers, on or off: what waits behind one that is off has
/// not landed either.
fn triggered(options: &Options) -> Result<BTreeSet<String>, TargetError> {
    // Only the topics are read, so whatever satisfies the template's rules.
    let any = "localhost:9092";
    let parameters = options.parameters.iter().cloned().collect();
    let pipeline = plane::pipeline::read(&options.template, any, &parameters)?;
    let functions = pipeline.functions.into_iter();
    let writers = functions.filter(|function| function.binary == BINARY);
    let triggers = writers.flat_map(|writer| writer.kafka);
    Ok(triggers.map(|trigger| trigger.topic).collect())
}

async fn topics_in_bronze(store: &impl List, layout: &Layout) -> Result<Vec<String>, StoreError> {
    topics_under(store, &layout.root(), layout.names().topic).await
}

/// The topics whose name is a part of the path right under `root`, behind `before`; found in as many steps as there are
/// parts.
async fn topics_under(
    store: &impl List,
    root: &str,
    before: &str,
) -> Result<Vec<String>, StoreError> {
    let mut topics = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(root, after.as_ref()).await?;
        let Some(first) = page.first() else {
            return Ok(topics);
        };
        let path = first.key.as_str().strip_prefix(root).unwrap_or_default();
        let Some((segment, _)) = path.split_once('/') else {
            after = Some(first.key.clone());
            continue;
        };
        // In layout 1 topics and quarantine lie side by side.
        if let Some(topic) = segment.strip_prefix(before)
            && segment != "_quarantine"
            && check_name(topic).is_ok()
        {
            topics.push(topic.to_owned());
        }
        // The character that follows '/'.
        after = Some(ObjectKey::new(format!("{root}{segment}0")));
    }
}

#[cfg(test)]
mod tests {
    use lake::{
        Compression, Granularity, Version,
        store::{MemoryStore, PutIf},
    };

    use super::*;

    #[tokio::test]
    async fn the_topics_of_a_lake_are_found_without_reading_it() {
        for version in [Version::One, Version::Two] {
            let store = MemoryStore::default();
            let layout = Layout::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None);
            let layout = layout.in_version(version);
            for topic in ["a", "a-b", "a.b", "b"] {
                for number in 0..1_200 {
                    let root = layout.symbol_root(topic, "A");
                    let key = ObjectKey::new(format!("{root}{number}"));
                    store.put_if_absent(&key, "".into()).await.unwrap();
                }
            }
            let aside = ObjectKey::new(format!("{}only-aside/x.json", layout.quarantine_root()));
            // Layout 1 has no marks, and there a topic may have the name of their folder.
            let mark = (version == Version::Two).then(|| layout.mark_key("marked", 0, 0));
            for key in [aside, layout.description_key()].into_iter().chain(mark) {
                store.put_if_absent(&key, "".into()).await.unwrap();
            }
            let found = topics_in_bronze(&store, &layout).await.unwrap();
            assert_eq!(found, ["a-b", "a.b", "a", "b"], "as their objects sort");
            let aside = topics_under(&store, &layout.quarantine_root(), "").await;
            assert_eq!(aside.unwrap(), ["only-aside"]);
        }
    }
}
