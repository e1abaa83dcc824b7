use std::path::PathBuf;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use crate::{
    lake_location::LakeLocation,
    roll::{duration, time},
};

/// The options of `gaps`.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// What is looked at.
    #[command(flatten)]
    pub selection: Selection,
    /// The folder with the pollers' logs, which say what failed [default: that of the local run].
    #[arg(long, value_name = "FOLDER")]
    pub logs: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What of a lake is looked at.
#[derive(Clone, Debug, Args)]
pub struct Selection {
    /// The lake.
    #[command(flatten)]
    pub location: LakeLocation,
    /// The first minute, such as 2026-11-20 or 2026-11-20T14:00Z [default: a day before --to].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub from: Option<Timestamp>,
    /// The minute before which it ends [default: ten minutes ago, because the last records may not have landed].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub to: Option<Timestamp>,
    /// Only this topic; may be repeated [default: all that bronze has].
    #[arg(long = "topic", value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Only this symbol; may be repeated [default: all that bronze has].
    #[arg(long = "symbol", value_name = "SYMBOL")]
    pub symbols: Vec<String>,
    /// In how many minutes a topic is expected to have data once; may be repeated [default: 5 for stock-board and
    /// stock-historical, else 1].
    #[arg(long = "beat", value_name = "TOPIC=MINUTES", value_parser = beat)]
    pub beats: Vec<(String, u32)>,
    /// Expect data before and after the main session too.
    #[arg(long)]
    pub extended: bool,
    /// How long after its event a record may have been fetched, such as 1h or 90m; later ones are late.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub lateness: SignedDuration,
}

impl Selection {
    /// In how many minutes a topic is expected to have data once.
    pub(crate) fn beat(&self, topic: &str) -> u32 {
        let given = self.beats.iter().rfind(|(of, _)| of == topic);
        given.map_or_else(|| default_beat(topic), |(_, minutes)| *minutes)
    }
}

/// The beat of the template's job for a topic of that name, in whole minutes.
fn default_beat(topic: &str) -> u32 {
    match topic {
        "stock-board" | "stock-historical" => 5,
        _ => 1,
    }
}

fn beat(text: &str) -> Result<(String, u32), String> {
    let read = || {
        let (topic, minutes) = text.split_once('=')?;
        let minutes = minutes.parse().ok()?;
        (!topic.is_empty() && (1..=1_440).contains(&minutes)).then(|| (topic.to_owned(), minutes))
    };
    read().ok_or_else(|| {
        "write a topic and its minutes from 1 to 1440, such as stock-board=5".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path};

    use super::*;

    #[test]
    fn a_topic_is_expected_at_the_beat_of_its_job() {
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let own = ["VietnamSymbols", "KafkaBootstrapServers", "FinnhubApiKey"];
        let own = own.map(|name| (name.to_owned(), "FPT".to_owned()));
        let mut parameters = BTreeMap::from(own);
        parameters.insert("Kafka".to_owned(), "self-managed".to_owned());
        parameters.insert("KafkaSecurity".to_owned(), "plaintext".to_owned());
        parameters.insert("KafkaBootstrapServers".to_owned(), "a:1".to_owned());
        let pipeline = sam_template::read(&template, &parameters).unwrap();
        let schedules = pipeline.functions.iter().flat_map(|of| &of.schedules);
        let mut topics = 0;
        for schedule in schedules.filter(|schedule| schedule.input.get("feed").is_some()) {
            let topic = schedule.input["topic"].as_str().unwrap();
            let seconds = schedule.input.get("beat_seconds");
            let seconds = seconds.and_then(serde_json::Value::as_u64).unwrap_or(1);
            let minutes = u32::try_from(seconds.div_ceil(60)).unwrap();
            assert_eq!(default_beat(topic), minutes, "{topic}");
            topics += 1;
        }
        assert_eq!(topics, 7);
    }

    #[test]
    fn a_beat_is_a_topic_and_whole_minutes() {
        assert_eq!(beat("a-b=5"), Ok(("a-b".to_owned(), 5)));
        for wrong in ["a", "a=", "=5", "a=0", "a=1441", "a=1m"] {
            assert!(beat(wrong).is_err(), "{wrong}");
        }
    }
}
