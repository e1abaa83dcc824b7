use std::collections::HashMap;

use jiff::{SignedDuration, civil::date, tz::TimeZoneDatabase};
use proptest::prelude::*;

use super::*;

const CALENDARS: [Calendar; 5] = [
    Calendar::UnitedStates,
    Calendar::Hose,
    Calendar::Hnx,
    Calendar::Upcom,
    Calendar::Continuous,
];
const VIETNAM: [Calendar; 3] = [Calendar::Hose, Calendar::Hnx, Calendar::Upcom];
const TICK: SignedDuration = SignedDuration::from_nanos(1);

/// A local time of a market.
fn at(calendar: Calendar, local: &str) -> Timestamp {
    in_zone(calendar, local.parse().unwrap())
}

fn in_zone(calendar: Calendar, local: DateTime) -> Timestamp {
    local.to_zoned(zone(calendar)).unwrap().timestamp()
}

/// The zone by the name that the calendar gives it.
fn zone(calendar: Calendar) -> TimeZone {
    TimeZoneDatabase::bundled().get(calendar.zone()).unwrap()
}

fn local_date(calendar: Calendar, time: Timestamp) -> Date {
    zone(calendar).to_datetime(time).date()
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |date| date.tomorrow().ok())
        .take_while(move |date| *date <= last)
}

/// The sessions of a local day as they follow each other, each with its first minute.
fn runs(calendar: Calendar, day: &str) -> Vec<(String, Session)> {
    let midnight: Date = day.parse().unwrap();
    let mut runs: Vec<(String, Session)> = Vec::new();
    for minute in 0..24 * 60 {
        let local = midnight.at(0, 0, 0, 0) + SignedDuration::from_mins(minute);
        let session = calendar.at(in_zone(calendar, local)).session;
        if runs.last().is_none_or(|(_, last)| *last != session) {
            runs.push((local.strftime("%H:%M").to_string(), session));
        }
    }
    runs
}

#[test]
fn the_sessions_follow_each_other_through_the_whole_day() {
    use Session::{AroundTheClock, Closed, Lunch, Post, Pre, Regular};
    let vietnam = [
        ("00:00", Closed),
        ("09:00", Regular),
        ("11:30", Lunch),
        ("13:00", Regular),
        ("14:45", Post),
        ("15:00", Closed),
    ];
    let upcom = [vietnam[0], vietnam[1], vietnam[2], vietnam[3], vietnam[5]];
    let us = |close, end| {
        [
            ("00:00", Closed),
            ("04:00", Pre),
            ("09:30", Regular),
            (close, Post),
            (end, Closed),
        ]
    };
    let check = |calendar, day, expected: &[(&str, Session)]| {
        let runs = runs(calendar, day);
        let runs: Vec<_> = runs.iter().map(|(start, s)| (start.as_str(), *s)).collect();
        assert_eq!(runs, expected, "{calendar:?} on {day}");
    };
    check(Calendar::UnitedStates, "2026-05-22", &us("16:00", "20:00"));
    check(Calendar::UnitedStates, "2026-11-27", &us("13:00", "17:00"));
    check(Calendar::UnitedStates, "2026-05-25", &[("00:00", Closed)]);
    check(Calendar::Hose, "2026-05-22", &vietnam);
    check(Calendar::Hnx, "2026-05-22", &vietnam);
    check(Calendar::Upcom, "2026-05-22", &upcom);
    check(Calendar::Upcom, "2026-02-17", &[("00:00", Closed)]);
    check(
        Calendar::Continuous,
        "2026-05-23",
        &[("00:00", AroundTheClock)],
    );
}

#[test]
fn a_session_holds_its_first_instant_and_not_its_last() {
    for calendar in CALENDARS {
        let day = date(2026, 5, 22);
        for pair in calendar.sessions(day).windows(2) {
            let [(_, before), (start, after)] = pair else {
                unreachable!("windows of two")
            };
            let start = in_zone(calendar, day.to_datetime(*start));
            assert_eq!(calendar.at(start).session, *after, "{calendar:?}");
            assert_eq!(calendar.at(start - TICK).session, *before, "{calendar:?}");
        }
    }
}

#[test]
fn new_york_opens_an_hour_earlier_in_utc_in_summer() {
    let opens = |utc: &str| {
        let time: Timestamp = utc.parse().unwrap();
        Calendar::UnitedStates.at(time).session == Session::Regular
            && Calendar::UnitedStates.at(time - TICK).session == Session::Pre
    };
    assert!(opens("2026-03-06T14:30:00Z"));
    assert!(opens("2026-03-09T13:30:00Z"));
    assert!(opens("2026-10-30T13:30:00Z"));
    assert!(opens("2026-11-02T14:30:00Z"));
}

#[test]
fn the_trading_date_is_the_day_whose_first_session_began_last() {
    let cases = [
        // A day begins with its first session, not at midnight.
        (
            Calendar::UnitedStates,
            "2026-05-22T03:59:59.999",
            "2026-05-21",
        ),
        (Calendar::UnitedStates, "2026-05-22T04:00", "2026-05-22"),
        (Calendar::UnitedStates, "2026-05-22T23:59", "2026-05-22"),
        (Calendar::Hose, "2026-05-22T08:59:59.999", "2026-05-21"),
        (Calendar::Hose, "2026-05-22T09:00", "2026-05-22"),
        // Over a weekend and the holiday after it.
        (Calendar::UnitedStates, "2026-05-25T12:00", "2026-05-22"),
        (Calendar::UnitedStates, "2026-05-26T03:00", "2026-05-22"),
        // Over the longest closures.
        (Calendar::UnitedStates, "2001-09-17T03:59", "2001-09-10"),
        (Calendar::Upcom, "2026-02-23T08:59", "2026-02-13"),
        (Calendar::Continuous, "2026-05-23T00:00", "2026-05-23"),
        (
            Calendar::Continuous,
            "2026-05-23T23:59:59.999",
            "2026-05-23",
        ),
    ];
    for (calendar, local, expected) in cases {
        let trading_date = calendar.at(at(calendar, local)).trading_date;
        assert_eq!(trading_date.to_string(), expected, "{calendar:?} {local}");
    }
}

#[test]
fn holidays_are_known_only_where_both_the_day_and_the_trading_date_are_covered() {
    let cases = [
        (Calendar::UnitedStates, "1999-12-31T12:00", false),
        (Calendar::UnitedStates, "2000-01-02T12:00", false),
        (Calendar::UnitedStates, "2000-01-03T12:00", true),
        (Calendar::UnitedStates, "2035-12-31T12:00", true),
        (Calendar::UnitedStates, "2036-01-01T12:00", false),
        (Calendar::Hose, "2024-01-01T12:00", false),
        (Calendar::Hose, "2024-01-02T12:00", true),
        (Calendar::Hose, "2026-12-31T12:00", true),
        (Calendar::Hose, "2027-01-01T12:00", false),
        (Calendar::Hose, "2027-06-01T12:00", false),
        (Calendar::Hose, "2026-11-23T12:00", true),
        (Calendar::Hose, "2026-11-24T12:00", false),
        (Calendar::Hose, "2026-11-25T08:59", false),
        (Calendar::Hose, "2026-11-25T09:00", true),
        (Calendar::Continuous, "2100-01-01T12:00", true),
    ];
    for (calendar, local, known) in cases {
        let answer = calendar.at(at(calendar, local));
        assert_eq!(answer.holidays_known, known, "{calendar:?} {local}");
    }
}

#[test]
fn every_us_day_from_2000_to_2035_is_as_exchange_calendars_has_it() {
    let closes: HashMap<Date, &str> = include_str!("fixtures/us.csv")
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .map(|(date, close)| (date.parse().unwrap(), close))
        .collect();
    let us = Calendar::UnitedStates;
    for day in days(date(2000, 1, 1), date(2035, 12, 31)) {
        let close = match closes.get(&day) {
            None => (!is_weekend(day)).then(|| day.at(16, 0, 0, 0)),
            Some(&"13:00") => Some(day.at(13, 0, 0, 0)),
            Some(&"closed") => None,
            Some(other) => panic!("{day}: {other}"),
        };
        assert_eq!(us.is_trading_day(day), close.is_some(), "{day}");
        let Some(close) = close else {
            assert_eq!(
                us.at(in_zone(us, day.at(12, 0, 0, 0))).session,
                Session::Closed
            );
            continue;
        };
        let close = in_zone(us, close);
        assert_eq!(us.at(close - TICK).session, Session::Regular, "{day}");
        assert_eq!(us.at(close).session, Session::Post, "{day}");
    }
}

#[test]
fn good_friday_is_right_where_easter_shuns_its_latest_moon() {
    for day in [date(1981, 4, 17), date(2049, 4, 16), date(2076, 4, 17)] {
        assert!(!Calendar::UnitedStates.is_trading_day(day), "{day}");
    }
}

#[test]
fn every_vietnamese_day_from_2024_to_2026_is_as_its_best_source_has_it() {
    let rows: HashMap<Date, Vec<&str>> = include_str!("fixtures/vietnam.csv")
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .map(|(date, sources)| (date.parse().unwrap(), sources.split(',').collect()))
        .collect();
    for day in days(date(2024, 1, 1), date(2026, 12, 31)) {
        if vietnam::UNSETTLED.contains(&day) {
            continue;
        }
        let holiday = rows.get(&day).is_some_and(|sources| {
            let [vnstock, vn_market_calendar, prices, notice] = sources[..] else {
                panic!("{day} has {} sources", sources.len())
            };
            match (prices, notice) {
                ("", "") => {
                    assert_eq!(vnstock, vn_market_calendar, "{day} is undecided");
                    vnstock == "closed"
                }
                ("", notice) => notice == "closed",
                (prices, _) => prices == "closed",
            }
        });
        let open = !holiday && !is_weekend(day);
        for calendar in VIETNAM {
            assert_eq!(calendar.is_trading_day(day), open, "{calendar:?} {day}");
        }
    }
}

#[test]
fn vietnam_in_2027_is_closed_on_its_public_holidays() {
    let rows = include_str!("fixtures/vietnam-unsettled.csv")
        .lines()
        .skip(1);
    let public: Vec<Date> = rows
        .filter_map(|line| line.split_once(",closed,"))
        .map(|(date, _)| date.parse().unwrap())
        .filter(|date: &Date| date.year() == 2027)
        .collect();
    for calendar in VIETNAM {
        let closed: Vec<_> = days(date(2027, 1, 1), date(2027, 12, 31))
            .filter(|day| !is_weekend(*day) && !calendar.is_trading_day(*day))
            .collect();
        assert_eq!(closed, public, "{calendar:?}");
    }
}

#[test]
fn culture_day_of_2026_is_closed_until_a_notice_or_a_price_says_more() {
    for calendar in VIETNAM {
        assert!(!calendar.is_trading_day(date(2026, 11, 24)));
        let answer = calendar.at(at(calendar, "2026-11-24T10:00"));
        assert_eq!(answer.trading_date, date(2026, 11, 23));
    }
}

#[test]
fn a_session_is_written_as_one_lower_case_word() {
    use Session::{AroundTheClock, Closed, Lunch, Post, Pre, Regular};
    assert_eq!(
        serde_json::to_string(&[Pre, Regular, Lunch, Post, Closed, AroundTheClock]).unwrap(),
        r#"["pre","regular","lunch","post","closed","24x7"]"#
    );
}

#[test]
fn the_ends_of_time_have_an_answer() {
    for calendar in CALENDARS {
        for time in [Timestamp::MIN, Timestamp::MAX] {
            let answer = calendar.at(time);
            assert!(answer.trading_date <= local_date(calendar, time));
        }
    }
}

prop_compose! {
    /// A time from 1990 to 2040.
    fn any_time()(second in 631_152_000_i64..2_208_988_800) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }
}

proptest! {
    #[test]
    fn the_trading_date_is_the_last_trading_day_begun(
        calendar in prop::sample::select(&CALENDARS[..]),
        time in any_time(),
    ) {
        let TradingTime { session, trading_date, .. } = calendar.at(time);
        let today = local_date(calendar, time);
        prop_assert!(calendar.is_trading_day(trading_date));
        prop_assert!(trading_date <= today);
        prop_assert!(session == Session::Closed || trading_date == today);
        // A first session begins before noon.
        let noon = in_zone(calendar, today.at(12, 0, 0, 0));
        let begun = if time < noon { today.yesterday().unwrap() } else { today };
        prop_assert!(
            days(trading_date, begun).skip(1).all(|day| !calendar.is_trading_day(day))
        );
    }

    #[test]
    fn the_trading_date_never_goes_back(
        calendar in prop::sample::select(&CALENDARS[..]),
        time in any_time(),
        later in 0_i64..1_000_000,
    ) {
        let later = time + SignedDuration::from_secs(later);
        prop_assert!(calendar.at(time).trading_date <= calendar.at(later).trading_date);
    }
}
