mod bytes;
mod edits;
mod made;

use lake::{Compression, malformed, object_damaged, offset_reused};

use super::{Findings, Verdict};
use made::{Made, TOPIC, received, record};

fn named(findings: &Findings) -> Vec<&str> {
    findings.first.iter().map(String::as_str).collect()
}

/// That nothing else speaks against the store than these.
fn kinds(verdict: &Verdict) -> Vec<&'static str> {
    let found = verdict.findings().filter(|(_, total, _)| *total > 0);
    found
        .map(|(what, ..)| what.split_once(' ').map_or(what, |(first, _)| first))
        .collect()
}

#[tokio::test]
async fn what_the_writer_makes_is_exact_with_and_without_the_topics() {
    for compression in [Compression::None, Compression::Zstd] {
        let made = Made::of(compression, 3, 5..75).await;
        let verdict = made.verify().await;
        assert!(verdict.is_exact(), "{verdict}");
        assert_eq!((verdict.in_topics, verdict.compared), (210, 210));
        assert_eq!((verdict.in_bronze, verdict.in_quarantine), (180, 30));
        assert!(verdict.objects > 30 && verdict.bytes > 10_000, "{verdict}");
        let alone = made.verify_alone().await;
        assert!(alone.is_exact(), "{alone}");
        assert_eq!((alone.in_topics, alone.compared), (210, 0));
        assert!(
            alone.to_string().contains("none compared with Kafka"),
            "{alone}"
        );
    }
}

#[tokio::test]
async fn what_is_gone_is_missing_by_its_offsets() {
    let made = Made::of(Compression::None, 2, 0..20).await;
    for (key, _) in made.bronze().iter().chain(&made.aside()) {
        if key.contains("p001-o000000000000000001") {
            made.remove(key);
        }
    }
    for verdict in [made.verify().await, made.verify_alone().await] {
        assert_eq!(named(&verdict.missing), ["t-1@10-19"]);
        assert_eq!((verdict.in_topics, verdict.missing.total), (40, 10));
        assert_eq!(kinds(&verdict), ["missing"], "{verdict}");
        assert!(
            verdict
                .to_string()
                .contains("10 missing: t-1@10-19\nNOT EXACT"),
            "{verdict}"
        );
    }
}

#[tokio::test]
async fn a_second_line_for_an_offset_is_doubled_wherever_it_is() {
    let made = Made::of(Compression::None, 1, 0..20).await;
    let other = record(0, 5);
    let moved = other.value.as_ref().unwrap().to_vec();
    let moved = String::from_utf8(moved)
        .unwrap()
        .replace("BTC/USDT", "ETH/USDT");
    made.land(&super::ConsumedRecord {
        value: Some(moved.into()),
        ..other
    })
    .await;
    let verdict = made.verify().await;
    assert_eq!(named(&verdict.doubled), ["t-0@5"]);
    assert_eq!(
        named(&verdict.altered),
        ["t-0@5"],
        "one of the two is not Kafka's"
    );
    assert_eq!(kinds(&verdict), ["doubled", "altered"], "{verdict}");
}

#[tokio::test]
async fn a_record_in_bronze_and_aside_is_named_with_what_to_do() {
    let made = Made::of(Compression::None, 1, 0..10).await;
    let aside = received(&record(0, 4), |received| {
        object_damaged(&made.layout, &received)
    });
    made.put(aside.key.as_str(), aside.body).await;
    let verdict = made.verify().await;
    assert_eq!(named(&verdict.in_both), ["t-0@4"]);
    assert_eq!(kinds(&verdict), ["both"], "{verdict}");
    assert!(
        verdict.to_string().contains("`quotelake replay` clears"),
        "{verdict}"
    );
    assert_eq!(verdict.in_bronze + verdict.in_quarantine, 10);

    let other = super::ConsumedRecord {
        value: Some("{\"symbol\":\"A\"}".into()),
        ..record(0, 5)
    };
    let aside = received(&other, |received| offset_reused(&made.layout, &received));
    made.put(aside.key.as_str(), aside.body).await;
    let verdict = made.verify().await;
    assert_eq!(named(&verdict.reused), ["t-0@5"]);
    assert_eq!(kinds(&verdict), ["both", "reused"], "{verdict}");
    assert!(
        verdict.to_string().contains("take a new epoch"),
        "{verdict}"
    );
}

#[tokio::test]
async fn a_record_that_was_put_aside_for_a_damaged_object_is_there_once() {
    let made = Made::of(Compression::None, 1, 0..10).await;
    let (key, body) = made.bronze().swap_remove(0);
    made.remove(&key);
    for line in body.lines() {
        let record = record(
            0,
            lake::read_line(lake::Version::Two, line.as_bytes())
                .unwrap()
                .offset,
        );
        let aside = received(&record, |received| object_damaged(&made.layout, &received));
        made.put(aside.key.as_str(), aside.body).await;
    }
    let verdict = made.verify().await;
    assert!(verdict.is_exact(), "{verdict}");
    assert_eq!((verdict.in_topics, verdict.compared), (10, 10));
    assert_eq!(verdict.in_quarantine, 1 + body.lines().count() as u64);
}

#[tokio::test]
async fn what_could_not_be_taken_apart_counts_as_there_but_not_as_compared() {
    let made = Made::of(Compression::None, 1, 0..10).await;
    let aside = made.aside().swap_remove(0).0;
    made.remove(&aside);
    let unread = malformed(
        &made.layout,
        TOPIC,
        0,
        Some(3),
        "{\"offset\":3}",
        "no value",
    );
    made.put(unread.key.as_str(), unread.body).await;
    let placeless = malformed(&made.layout, TOPIC, 0, None, "{}", "no offset");
    made.put(placeless.key.as_str(), placeless.body).await;
    let verdict = made.verify().await;
    assert!(verdict.is_exact(), "{verdict}");
    assert_eq!(
        (verdict.in_topics, verdict.compared, verdict.strangers),
        (10, 9, 1)
    );
}

#[tokio::test]
async fn strangers_are_counted_and_what_is_no_object_of_the_layout_is_named() {
    let mut made = Made::of(Compression::None, 2, 0..20).await;
    made.expected.truncate(1);
    made.expected[0].offsets = 5..20;
    let elsewhere = made.layout.topic_root("other");
    made.put(
        &format!("{elsewhere}lake_symbol=_A/lake_date=x/20260522T200000.000Z-p000-o0000000000000000000.ndjson"),
        "",
    )
    .await;
    let verdict = made.verify().await;
    assert!(verdict.is_exact(), "{verdict}");
    assert_eq!((verdict.in_topics, verdict.strangers), (15, 25));
    assert_eq!(verdict.other_topics, 1);

    let notes = format!("{}notes.txt", made.layout.root());
    made.put(&notes, "to do").await;
    let verdict = made.verify().await;
    assert_eq!(named(&verdict.foreign), [&notes]);
    assert!(!verdict.is_exact());
}

#[tokio::test]
async fn offsets_that_kafka_never_had_or_has_compacted_are_not_missing() {
    let mut made = Made::of(Compression::None, 1, 0..20).await;
    let (_, records) = made.topics.partitions.get_mut(&0).unwrap();
    records.retain(|record| !(4..8).contains(&record.offset));
    let verdict = made.verify().await;
    assert!(verdict.is_exact(), "{verdict}");
    assert_eq!((verdict.in_topics, verdict.compacted), (16, 4));
    for (key, body) in made.bronze() {
        let offset = |line: &&str| {
            lake::read_line(lake::Version::Two, line.as_bytes())
                .unwrap()
                .offset
        };
        let lines = body.split_inclusive('\n');
        let rest: String = lines
            .filter(|line| !(4..8).contains(&offset(line)))
            .collect();
        made.remove(&key);
        if !rest.is_empty() {
            made.put(&key, rest).await;
        }
    }
    let verdict = made.verify().await;
    assert!(verdict.is_exact(), "{verdict}");
    assert!(
        !made.verify_alone().await.is_exact(),
        "without Kafka every offset counts"
    );
}

#[tokio::test]
async fn ranges_beyond_what_kafka_holds_have_to_be_in_the_store_all_the_same() {
    let mut made = Made::of(Compression::None, 1, 0..20).await;
    made.expected[0].offsets = 0..i64::MAX;
    let verdict = made.verify().await;
    assert_eq!(named(&verdict.missing), ["t-0@20-9223372036854775806"]);
    assert_eq!(verdict.in_bronze + verdict.in_quarantine, 20);
}

#[tokio::test]
async fn a_partition_has_one_range() {
    let mut made = Made::of(Compression::None, 1, 0..5).await;
    made.expected.push(made.expected[0].clone());
    let refused = super::verify(
        &made.store,
        &made.layout,
        Some(&made.topics),
        &made.expected,
        &|_| {},
    );
    let said = refused.await.unwrap_err().to_string();
    assert_eq!(
        said,
        "the partition t-0 is given twice: give one range of it"
    );
}
