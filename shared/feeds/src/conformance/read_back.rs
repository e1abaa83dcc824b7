//! Every recorded message is read back and written again to the very same JSON.

use std::{collections::BTreeSet, fs, path::Path};

use market::Published;

/// The text of every snapshot, of whatever provider.
fn snapshots() -> Vec<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders = fs::read_dir(sources).unwrap();
    folders
        .map(|folder| folder.unwrap().path().join("snapshots"))
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect()
}

/// The messages in a snapshot, each as it was published: on one line.
fn messages(snapshot: &str) -> Vec<String> {
    let mut messages = Vec::new();
    let mut open: Option<String> = None;
    for line in snapshot.lines() {
        match &mut open {
            None if line.ends_with(": {") => open = Some("{".to_owned()),
            None => {}
            Some(message) => {
                message.push_str(line.trim_start());
                if line == "}" {
                    messages.extend(open.take());
                }
            }
        }
    }
    messages
}

#[test]
fn every_recorded_message_is_written_again_as_it_was_read() {
    let mut schemas = BTreeSet::new();
    for message in snapshots().iter().flat_map(|snapshot| messages(snapshot)) {
        let published = Published::read("any", message.as_bytes()).unwrap();
        schemas.insert(published.meta().unwrap().schema.to_string());
        let again = serde_json::to_string(&published).unwrap();
        assert_eq!(again, message);
    }
    let all = [
        "crypto-prices/1",
        "stock-board/1",
        "stock-historical/1",
        "stock-intraday/1",
        "stock-prices/1",
        "stock-quotes/1",
        "trades-raw/1",
    ];
    assert!(schemas.iter().eq(all.iter()), "{schemas:?}");
}

#[test]
fn every_recorded_quote_and_trade_has_a_tick_with_its_times() {
    for message in snapshots().iter().flat_map(|snapshot| messages(snapshot)) {
        let published = Published::read("any", message.as_bytes()).unwrap();
        let meta = published.meta().unwrap();
        assert_eq!(published.fetched_at(), Some(meta.fetched_at));
        if let Some(tick) = published.tick() {
            assert_eq!(tick.event_time, meta.event_time);
            assert_eq!(tick.age_ms, meta.age_ms);
            assert_eq!(tick.source, Some(meta.source.as_str()));
        }
    }
}
