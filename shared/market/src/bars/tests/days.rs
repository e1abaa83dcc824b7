//! Whose midnight a day begins at.

use super::*;

/// Start, end and trading date of the days that these quotes make.
fn days_of(events: &[&str], zone: Zone) -> Vec<(String, i64, String)> {
    let records = events
        .iter()
        .zip(0..)
        .map(|(event, offset)| quote(event, offset, "1"));
    let minutes = folded(records.collect(), zone);
    let days = days(&hours(&minutes));
    let hours = |day: &Bar| (day.end - day.start) / HOUR;
    let starts = starts(&days).into_iter().zip(&days);
    starts
        .map(|(start, day)| (start, hours(day), day.trading_date.to_string()))
        .collect()
}

fn day(start: &str, hours: i64, date: &str) -> (String, i64, String) {
    (start.to_owned(), hours, date.to_owned())
}

#[test]
fn a_day_in_new_york_has_23_hours_when_summer_time_begins() {
    let days = days_of(
        &[
            "2026-03-08T04:59:59.999999Z",
            "2026-03-08T05:00:00Z",
            "2026-03-09T03:59:59.999999Z",
            "2026-03-09T04:00:00Z",
        ],
        Zone::NewYork,
    );
    assert_eq!(
        days,
        [
            day("2026-03-07T05:00:00Z", 24, "2026-03-07"),
            day("2026-03-08T05:00:00Z", 23, "2026-03-08"),
            day("2026-03-09T04:00:00Z", 24, "2026-03-09"),
        ]
    );
}

#[test]
fn a_day_in_new_york_has_25_hours_when_summer_time_ends() {
    let days = days_of(
        &[
            "2026-11-01T03:59:59Z",
            "2026-11-01T04:00:00Z",
            "2026-11-02T04:59:59Z",
            "2026-11-02T05:00:00Z",
        ],
        Zone::NewYork,
    );
    assert_eq!(
        days,
        [
            day("2026-10-31T04:00:00Z", 24, "2026-10-31"),
            day("2026-11-01T04:00:00Z", 25, "2026-11-01"),
            day("2026-11-02T05:00:00Z", 24, "2026-11-02"),
        ]
    );
}

#[test]
fn a_day_in_ho_chi_minh_city_begins_at_17_of_utc() {
    let days = days_of(
        &["2026-11-19T16:59:59Z", "2026-11-19T17:00:00Z"],
        Zone::HoChiMinh,
    );
    assert_eq!(
        days,
        [
            day("2026-11-18T17:00:00Z", 24, "2026-11-19"),
            day("2026-11-19T17:00:00Z", 24, "2026-11-20"),
        ]
    );
}

#[test]
fn a_day_of_a_coin_is_that_of_utc() {
    let days = days_of(&["2026-03-08T23:59:59Z", "2026-03-09T00:00:00Z"], Zone::Utc);
    assert_eq!(
        days,
        [
            day("2026-03-08T00:00:00Z", 24, "2026-03-08"),
            day("2026-03-09T00:00:00Z", 24, "2026-03-09"),
        ]
    );
}

#[test]
fn the_zone_follows_from_the_kind_and_the_currency_of_the_record() {
    for (asset_class, currency, name) in [
        (Some("equity"), Some("USD"), "America/New_York"),
        (Some("etf"), Some("USD"), "America/New_York"),
        (Some("equity"), Some("VND"), "Asia/Ho_Chi_Minh"),
        (Some("warrant"), Some("VND"), "Asia/Ho_Chi_Minh"),
        (Some("crypto"), Some("USD"), "UTC"),
        (Some("crypto"), Some("USDT"), "UTC"),
        (Some("crypto"), Some("VND"), "UTC"),
        (Some("forex"), Some("USD"), "UTC"),
        (Some("equity"), Some("EUR"), "UTC"),
        (None, Some("USD"), "UTC"),
        (None, Some("VND"), "Asia/Ho_Chi_Minh"),
        (None, None, "UTC"),
    ] {
        let zone = Zone::of(asset_class, currency);
        assert_eq!(zone.name(), name, "{asset_class:?} in {currency:?}");
    }
}

#[test]
fn a_minute_and_an_hour_have_the_date_of_their_start() {
    let bars = folded(vec![quote("2026-11-19T17:00:00Z", 1, "1")], Zone::HoChiMinh);
    assert_eq!(bars[0].trading_date.to_string(), "2026-11-20");
    assert_eq!(hours(&bars)[0].trading_date.to_string(), "2026-11-20");
}

#[test]
fn a_date_is_one_bar_also_where_records_stop_to_say_their_zone() {
    let subjects = [of_zone(Zone::NewYork), Subject::default()];
    let at = |event, subject| Observed {
        subject,
        ..quote(event, 1, "1")
    };
    let mut records = vec![
        at("2026-07-02T01:00:00Z", 0),
        at("2026-07-02T02:00:00Z", 1),
        at("2026-07-02T03:00:00Z", 0),
    ];
    let minutes = minutes(&mut records, &subjects, &Rules::default());
    let days = days(&hours(&minutes));
    let dates: Vec<_> = days
        .iter()
        .map(|day| day.trading_date.to_string())
        .collect();
    assert_eq!(dates, ["2026-07-01", "2026-07-02"]);
}

#[test]
fn a_bar_is_complete_if_its_parts_are() {
    let mut bars = folded(
        vec![
            quote("2026-03-02T10:00:00Z", 1, "1"),
            quote("2026-03-02T10:01:00Z", 2, "1"),
            quote("2026-03-02T11:00:00Z", 3, "1"),
        ],
        Zone::Utc,
    );
    assert!(bars.iter().all(|bar| !bar.complete));
    for bar in &mut bars {
        bar.complete = true;
    }
    let mut all = hours(&bars);
    assert!(all.iter().all(|hour| hour.complete));
    assert!(days(&all)[0].complete);
    all[1].complete = false;
    assert!(!days(&all)[0].complete);
    bars[1].complete = false;
    assert!(!hours(&bars)[0].complete);
}

#[test]
fn the_end_of_time_is_no_panic() {
    let [first, last] = [Timestamp::MIN, Timestamp::MAX].map(Timestamp::as_microsecond);
    for time in [first, first + 1, -1, last] {
        let mut records = vec![Observed {
            event_time: time,
            fetched_at: time,
            ..quote("2026-03-02T10:00:00Z", 1, "1")
        }];
        for zone in [Zone::Utc, Zone::NewYork, Zone::HoChiMinh] {
            let mut bars = minutes(&mut records, &[of_zone(zone)], &Rules::default());
            add_session_volumes(&mut bars);
            days(&hours(&bars));
        }
    }
}
