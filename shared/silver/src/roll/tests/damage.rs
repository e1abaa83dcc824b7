//! Bronze objects and silver files that are not as they were written.

use lake::{Compression, Granularity, ObjectKey, store::Get};
use market::bars::Interval;

use super::{
    Lake, Record, at, hour_range,
    lake_of_records::{self, layout},
    minute_bars,
};
use crate::{How, Period, Range, RollError, Rolled, roll};

const MINUTE: i64 = 60_000_000;
const NOVEMBER: Period = Period::Month {
    year: 2026,
    month: 11,
};

/// Quotes at 10:00, 14:00 and 20:00.
async fn three_hours(compression: Compression) -> Lake {
    let granularity = Granularity::new(3_600_000, 1_000).unwrap();
    let lake = Lake {
        layout: layout(granularity, compression),
        ..Lake::new()
    };
    let ten = at("2026-11-20T10:00:00Z");
    let quotes = [0, 240, 241, 600].map(|minute| Record::quote(minute, ten + minute * MINUTE, 100));
    lake.land(&quotes).await;
    lake
}

fn day() -> Range {
    hour_range("2026-11-20T08:00:00Z", 16)
}

const REBUILD: How = How {
    rules: market::bars::Rules {
        lateness: 60 * MINUTE,
        ahead: MINUTE,
    },
    provisional: true,
    rebuild: true,
    dry_run: false,
};

/// The object of 14:00 with other bytes is named once, costs no other hour, and what was there heals it.
async fn is_named_and_heals(compression: Compression, damage: impl Fn(&[u8]) -> Vec<u8>) -> Rolled {
    let lake = three_hours(compression).await;
    lake.roll_right(day()).await;
    let key = lake.bronze().await.remove(1);
    assert!(key.as_str().contains("T140000"), "{key}");
    let sound = lake.store.get(&key).await.unwrap().body;
    lake.overwrite(&key, damage(&sound)).await;
    let rolled = lake.roll(day()).await;
    assert_eq!(rolled.damaged.keys().collect::<Vec<_>>(), [&key]);
    let bars = lake.minutes("2026-11-20T10:00:00Z").await;
    let complete = |bars: &[market::bars::Bar], hour: &str| {
        let bars = minute_bars(bars).into_iter();
        let of_hour = bars.filter(|bar| bar.0.starts_with(hour));
        of_hour.map(|bar| bar.4).collect::<Vec<_>>()
    };
    assert_eq!(complete(&bars, "10"), [true]);
    assert_eq!(complete(&bars, "20"), [false], "open as before");
    assert!(!complete(&bars, "14").contains(&true));
    let judged = lake.judge().await;
    assert_eq!(judged.bronze_damaged.keys().collect::<Vec<_>>(), [&key]);
    assert_eq!((&judged.wrong[..], judged.behind), (&[][..], 0));
    lake.overwrite(&key, sound).await;
    lake.roll_right(day()).await;
    let healed = lake.minutes("2026-11-20T10:00:00Z").await;
    assert_eq!(complete(&healed, "14"), [true, true]);
    rolled
}

#[tokio::test]
async fn a_damaged_bronze_object_is_named_and_heals_when_it_is_restored() {
    use Compression::{None, Zstd};
    is_named_and_heals(None, |_| Vec::new()).await;
    is_named_and_heals(None, |_| b"garbage".to_vec()).await;
    is_named_and_heals(None, |sound| sound[..sound.len() - 1].to_vec()).await;
    is_named_and_heals(None, |sound| sound[..sound.len() * 2 / 3].to_vec()).await;
    is_named_and_heals(Zstd, |_| Vec::new()).await;
    is_named_and_heals(Zstd, |_| b"garbage".to_vec()).await;
    is_named_and_heals(Zstd, |sound| sound[..sound.len() - 9].to_vec()).await;
}

fn edited(of: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(of.to_vec()).unwrap();
    assert!(text.contains(from), "{text}");
    text.replacen(from, to, 1).into_bytes()
}

#[tokio::test]
async fn a_line_of_another_schema_or_symbol_is_named_with_its_number() {
    let none = Compression::None;
    let rolled = is_named_and_heals(none, |sound| edited(sound, "\"stock-quotes/1\"", "17")).await;
    let reason = rolled.damaged.into_values().next().unwrap();
    assert!(
        reason.starts_with("line 1: ") && reason.contains("no bronze line"),
        "{reason}"
    );
    let other = r#"{"symbol":"B""#;
    let rolled = is_named_and_heals(none, |sound| edited(sound, r#"{"symbol":"A""#, other)).await;
    let reason = rolled.damaged.into_values().next().unwrap();
    assert!(
        reason.starts_with("line 1: ") && reason.contains("\"B\""),
        "{reason}"
    );
}

#[tokio::test]
async fn the_first_line_of_all_does_not_say_the_symbol() {
    let lake = three_hours(Compression::None).await;
    let key = lake.bronze().await.remove(0);
    let sound = lake.store.get(&key).await.unwrap().body;
    let other = edited(&sound, r#"{"symbol":"A""#, r#"{"symbol":"B""#);
    lake.overwrite(&key, other).await;
    let rolled = lake.roll(day()).await;
    assert_eq!(rolled.damaged.keys().collect::<Vec<_>>(), [&key]);
    assert_eq!((rolled.bars, rolled.lines), (3, 3));
    assert_eq!(lake.file(Interval::Minute, NOVEMBER).await.symbol, "A");
}

/// Damages a silver file, and demands that it is named, not overwritten, and made again by a rebuild of `range`.
async fn is_rebuilt(lake: &Lake, key: &ObjectKey, body: Vec<u8>, range: Range) {
    let sound = lake.store.objects();
    lake.overwrite(key, body.clone()).await;
    let before = lake.store.objects();
    match lake.roll_with(range, &How::default()).await {
        Err(RollError::Damaged { key: named, .. }) => assert_eq!(named, *key),
        other => panic!("{key}: {other:?}"),
    }
    assert_eq!(lake.store.objects(), before);
    let damaged = lake.judge().await.damaged;
    assert_eq!(damaged.keys().collect::<Vec<_>>(), [key]);
    // A rebuild believes what is recorded, and no bar.
    let known = (&lake.marks().await, lake_of_records::soon());
    let (layout, of) = (&lake.layout, &lake.of);
    roll(&*lake.store, layout, of, range, &REBUILD, known)
        .await
        .unwrap();
    let judged = lake.judge().await;
    assert_eq!((&judged.wrong[..], judged.behind), (&[][..], 0), "{key}");
    assert_eq!(lake.store.objects(), sound, "{key}");
    assert_eq!(lake.roll(range).await.files, 0);
}

#[tokio::test]
async fn a_silver_file_that_is_not_as_it_was_written_is_made_again_by_rebuild_alone() {
    let lake = three_hours(Compression::None).await;
    lake.land(&[
        Record::quote(700, at("2026-10-11T10:00:00Z"), 100),
        Record::quote(701, at("2025-12-31T23:59:00Z"), 100),
        Record::quote(702, at("2026-11-02T10:00:00Z"), 100),
    ])
    .await;
    let all = Range {
        from: 0,
        to: i64::MAX,
    };
    lake.roll_right(all).await;
    let october = Period::Month {
        year: 2026,
        month: 10,
    };
    let (year, before) = (Period::Year(2026), Period::Year(2025));
    for (interval, period, range) in [
        (Interval::Minute, NOVEMBER, all),
        // One hour of the month brings all of it back.
        (
            Interval::Minute,
            NOVEMBER,
            hour_range("2026-11-20T14:00:00Z", 1),
        ),
        (Interval::Minute, october, all),
        (Interval::Hour, year, all),
        (Interval::Hour, year, hour_range("2026-11-20T14:00:00Z", 1)),
        (Interval::Day, year, hour_range("2026-11-20T14:00:00Z", 1)),
        (Interval::Hour, before, all),
        (Interval::Day, before, all),
    ] {
        let key = lake.key(interval, period);
        let sound = lake.store.get(&key).await.unwrap().body.to_vec();
        let mut flipped = sound.clone();
        flipped[sound.len() / 3] ^= 1;
        for body in [
            Vec::new(),
            sound[..sound.len() - 20].to_vec(),
            flipped,
            b"PAR1PAR1".to_vec(),
        ] {
            is_rebuilt(&lake, &key, body, range).await;
        }
    }
}

#[tokio::test]
async fn a_rebuild_does_not_go_on_without_an_older_file_that_is_damaged_too() {
    let lake = three_hours(Compression::None).await;
    let then = at("2026-10-11T10:00:00Z");
    lake.land(&[Record::quote(700, then, 100)]).await;
    lake.roll(Range {
        from: 0,
        to: i64::MAX,
    })
    .await;
    let october = lake.key(
        Interval::Minute,
        Period::Month {
            year: 2026,
            month: 10,
        },
    );
    lake.overwrite(&october, "garbage").await;
    let late = Record::quote(701, then + 1, 100).fetched(at("2026-11-20T10:30:00Z"));
    lake.land(&[late]).await;
    match lake.roll_with(day(), &REBUILD).await {
        Err(RollError::Damaged { key, .. }) => assert_eq!(key, october),
        other => panic!("{other:?}"),
    }
    lake.roll_with(
        Range {
            from: 0,
            to: i64::MAX,
        },
        &REBUILD,
    )
    .await
    .unwrap();
    lake.roll_right(day()).await;
}

#[tokio::test]
async fn a_silver_file_of_a_newer_schema_is_never_overwritten() {
    let lake = three_hours(Compression::None).await;
    lake.roll_right(day()).await;
    let key = lake.key(Interval::Minute, NOVEMBER);
    let body = lake.store.get(&key).await.unwrap().body;
    let name = b"quotelake.silver";
    let at = body
        .windows(name.len())
        .rposition(|place| place == name)
        .unwrap();
    let mut newer = body.to_vec();
    let digit = at + name.len() + 2;
    assert_eq!(newer[digit], b'1');
    newer[digit] = b'2';
    lake.overwrite(&key, newer).await;
    let before = lake.store.objects();
    for how in [How::default(), REBUILD] {
        let refused = lake.roll_with(day(), &how).await.unwrap_err();
        assert!(
            matches!(&refused, RollError::Newer { key: named, .. } if *named == key),
            "{refused}"
        );
        assert_eq!(lake.store.objects(), before);
    }
}
