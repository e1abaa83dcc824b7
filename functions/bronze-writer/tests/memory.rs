//! The memory of a writer that has to grow large objects. A process of its own, because it asks for the peak of all.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{sync::Mutex, time::Duration};

use bronze_writer::{Answer, FailureResponse, Writer};
use bytes::Bytes;
use lake::{
    Compression, Granularity, Layout, ObjectKey, Reason,
    store::{ETag, Get, MemoryStore, Object, PutIf, StoreError},
};
use runtime::Invocation;
use serde_json::json;
use tokio::time::Instant;

const MIB: usize = 1 << 20;

/// What the template gives the writer is 512 MB.
const LIMIT: usize = 400 * MIB;

/// A store whose objects of lines are large: each has one line, which is made when it is read.
struct Large {
    rest: MemoryStore,
    layout: Layout,
    line_bytes: usize,
    grown: Mutex<Vec<usize>>,
}

impl Large {
    fn object(&self, key: &ObjectKey) -> Bytes {
        let symbol = key.as_str().split("lake_symbol=_").nth(1).unwrap();
        let symbol = symbol.split('/').next().unwrap();
        let line = |text: &str| {
            format!(
                r#"{{"symbol":"{symbol}","fetched_at":1779480005,"x":"{text}","_kafka":{{"topic":"t","partition":0,"offset":0,"timestamp":1779480005000,"key":null,"headers":[]}}}}"#
            ) + "\n"
        };
        let text = "x".repeat(self.line_bytes - line("").len());
        let line = line(&text);
        match self.layout.compression() {
            Compression::None => line.into(),
            Compression::Zstd => {
                let mut packer = zstd::bulk::Compressor::new(3).unwrap();
                packer.include_checksum(true).unwrap();
                packer.compress(line.as_bytes()).unwrap().into()
            }
        }
    }
}

fn is_lines(key: &ObjectKey) -> bool {
    key.as_str().contains(".ndjson")
}

impl PutIf for Large {
    async fn put_if_absent(&self, key: &ObjectKey, body: Bytes) -> Result<ETag, StoreError> {
        if is_lines(key) {
            return Err(StoreError::AlreadyExists { key: key.clone() });
        }
        self.rest.put_if_absent(key, body).await
    }

    async fn put_if_match(
        &self,
        key: &ObjectKey,
        body: Bytes,
        etag: &ETag,
    ) -> Result<ETag, StoreError> {
        if is_lines(key) {
            // As long as a request takes, so that others come to have their bodies too.
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.grown.lock().unwrap().push(body.len());
            return Ok(ETag("2".to_owned()));
        }
        self.rest.put_if_match(key, body, etag).await
    }
}

impl Get for Large {
    async fn get_within(&self, key: &ObjectKey, most: usize) -> Result<Object, StoreError> {
        if !is_lines(key) {
            return self.rest.get_within(key, most).await;
        }
        if self.layout.compression() == Compression::None && self.line_bytes > most {
            return Err(StoreError::TooLarge {
                key: key.clone(),
                size: self.line_bytes,
            });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Object {
            body: self.object(key),
            etag: ETag("1".to_owned()),
        })
    }

    async fn get_if_changed(
        &self,
        key: &ObjectKey,
        etag: &ETag,
        most: usize,
    ) -> Result<Option<Object>, StoreError> {
        self.rest.get_if_changed(key, etag, most).await
    }
}

/// The most memory that this process has had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: usize = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib << 10
}

/// Has a cold writer bring one record to each of so many objects; how long those became, and what went to quarantine.
async fn bring(
    line_bytes: usize,
    objects: usize,
    compression: Compression,
) -> (Vec<usize>, Option<u64>) {
    let layout = Layout::new("b", None, Granularity::SEGMENT, compression);
    let store = Large {
        rest: MemoryStore::default(),
        layout: layout.clone(),
        line_bytes,
        grown: Mutex::default(),
    };
    let writer = Writer::new(store, layout, FailureResponse::Batch);
    let record = |number: usize| {
        let value = format!(r#"{{"symbol":"S{number}","fetched_at":1779480005}}"#);
        json!({"topic": "t", "partition": 0, "offset": number + 1, "timestamp": 1_779_480_005_000_i64,
            "value": base64_simd::STANDARD.encode_to_string(value), "headers": []})
    };
    let records: Vec<_> = (0..objects).map(record).collect();
    let event = serde_json::value::to_raw_value(&json!({"records": {"t-0": records}})).unwrap();
    let invocation = Invocation {
        deadline: Instant::now() + Duration::from_secs(120),
        stop: tokio_util::sync::CancellationToken::new(),
    };
    let answer = writer.handle(&event, &invocation).await.unwrap();
    let Answer::Done { report, .. } = answer else {
        panic!("{answer:?}");
    };
    let too_large = report.quarantined.get(&Reason::ObjectTooLarge).copied();
    let grown = writer.store().grown.lock().unwrap().clone();
    (grown, too_large)
}

#[tokio::test]
async fn large_objects_are_grown_within_400_mb() {
    let (grown, too_large) = bring(52 * MIB, 16, Compression::None).await;
    assert_eq!((grown.len(), too_large), (16, None));
    assert!(grown.iter().all(|&bytes| bytes > 52 * MIB));
    assert!(peak() < LIMIT, "{} MiB", peak() / MIB);

    // 900 MB in 27 KB say their length, and are never unpacked; neither are those that have no room to grow.
    let (grown, too_large) = bring(129 * MIB, 4, Compression::Zstd).await;
    assert_eq!((grown.len(), too_large), (0, Some(4)));
    let (grown, too_large) = bring(129 * MIB, 2, Compression::None).await;
    assert_eq!((grown.len(), too_large), (0, Some(2)));
    let (grown, too_large) = bring(100 * MIB, 2, Compression::Zstd).await;
    assert_eq!((grown.len(), too_large), (2, None));
    assert!(peak() < LIMIT, "{} MiB", peak() / MIB);
}
