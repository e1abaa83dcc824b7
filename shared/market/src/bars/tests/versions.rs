//! The bars that providers make, which come again and again.

use super::*;

const START: &str = "2026-03-02T10:00:00Z";

fn close(versions: &[Observed]) -> String {
    let [.., close] = prices(&one_minute(versions.to_vec()));
    let mut reversed = versions.to_vec();
    reversed.reverse();
    assert_eq!(prices(&one_minute(reversed))[3], close, "in any order");
    close
}

#[test]
fn of_a_provider_s_bar_the_last_version_on_time_counts() {
    let on_time = [
        provider(START, 1, "1", "2026-03-02T10:00:30Z"),
        provider(START, 2, "2", "2026-03-02T11:00:59.999999Z"),
    ];
    assert_eq!(close(&on_time), "2", "fetched before end + lateness");
    let after = provider(START, 3, "3", "2026-03-02T11:01:00Z");
    assert_eq!(close(&[on_time[0], on_time[1], after]), "2");
}

#[test]
fn without_a_version_on_time_the_first_one_after_counts() {
    let versions = [
        provider(START, 1, "1", "2026-04-02T10:00:00Z"),
        provider(START, 2, "2", "2026-05-02T10:00:00Z"),
    ];
    assert_eq!(close(&versions), "1");
    assert_eq!(one_minute(versions.to_vec()).late, 0);
}

#[test]
fn versions_of_one_fetch_are_told_apart_by_partition_and_offset() {
    let version = |partition, offset, price| Observed {
        partition,
        event_id: Some(7),
        ..provider(START, offset, price, "2026-03-02T10:30:00Z")
    };
    assert_eq!(close(&[version(0, 9, "1"), version(1, 3, "2")]), "2");
    assert_eq!(close(&[version(1, 3, "2"), version(1, 4, "3")]), "3");
}

#[test]
fn two_bars_of_one_minute_in_one_record_give_the_same_in_any_order() {
    let bar = |price| provider(START, 1, price, "2026-03-02T10:30:00Z");
    close(&[bar("2"), bar("1"), bar("3")]);
}

#[test]
fn a_provider_s_bar_has_its_volume_and_no_ticks() {
    let version = Observed {
        event_id: Some(5),
        ..provider(START, 1, "1", "2026-03-02T10:00:30Z")
    };
    let bar = one_minute(vec![version]);
    assert_eq!(bar.volume, Some(Amount::from(7)));
    assert_eq!((bar.ticks, bar.trades, bar.quote_volume), (0, None, None));
    assert_eq!((bar.first_event_time, bar.last_event_time), (None, None));
    assert_eq!(bar.close_event_id, Some(5));
    assert_eq!(bar.basis, Bases::PROVIDER);
}

#[test]
fn a_provider_s_bar_fills_a_minute_whose_ticks_were_all_late() {
    let late = after(quote("2026-03-02T10:00:01Z", 2, "5"), 2 * HOUR);
    let bar = one_minute(vec![provider(START, 1, "1", "2026-03-09T10:00:00Z"), late]);
    assert_eq!(prices(&bar), ["1", "1", "1", "1"]);
    assert_eq!((bar.ticks, bar.late), (0, 1));
}
