mod errors;
mod properties;

use super::*;

fn expression(text: &str) -> Expression {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The times after `after` at which the schedule fires, at most `most`.
fn occurrences(text: &str, zone: &str, after: &str, most: usize) -> Vec<String> {
    let (expression, zone) = (expression(text), TimeZone::get(zone).unwrap());
    let start = time(after);
    std::iter::successors(expression.next_after(start, start, &zone), |&last| {
        expression.next_after(last, start, &zone)
    })
    .take(most)
    .map(|time| time.to_string())
    .collect()
}

#[test]
fn a_rate_counts_from_its_start_and_fires_there_first() {
    let every_five = expression("rate(5 minutes)");
    let start = time("2026-11-21T09:00:30Z");
    let next = |after: &str| {
        every_five
            .next_after(time(after), start, &TimeZone::UTC)
            .unwrap()
            .to_string()
    };
    assert_eq!(next("2026-11-21T08:00:00Z"), "2026-11-21T09:00:30Z");
    assert_eq!(next("2026-11-21T09:00:30Z"), "2026-11-21T09:05:30Z");
    assert_eq!(next("2026-11-21T09:05:29.999Z"), "2026-11-21T09:05:30Z");
    assert_eq!(next("2026-11-22T09:03:00Z"), "2026-11-22T09:05:30Z");
}

#[test]
fn rates_are_minutes_hours_and_days() {
    for (text, seconds) in [
        ("rate(1 minute)", 60),
        ("rate(90 minutes)", 5_400),
        ("rate(1 hour)", 3_600),
        ("rate(2 hours)", 7_200),
        ("rate(1 day)", 86_400),
        (" rate( 7  days ) ", 604_800),
    ] {
        assert_eq!(
            expression(text),
            Expression::Rate(Duration::from_secs(seconds)),
            "{text}"
        );
    }
}

#[test]
fn cron_times_are_those_of_the_service() {
    // 2026-11-21 is a Saturday.
    let after = "2026-11-21T09:00:00Z";
    let cases: [(&str, [&str; 3]); 13] = [
        ("* * * * ? *", ["11-21T09:01", "11-21T09:02", "11-21T09:03"]),
        (
            "0/15 9-16 ? * MON-FRI *",
            ["11-23T09:00", "11-23T09:15", "11-23T09:30"],
        ),
        (
            "0 10 * * ? *",
            ["11-21T10:00", "11-22T10:00", "11-23T10:00"],
        ),
        (
            "50/5 9 ? * 7 *",
            ["11-21T09:50", "11-21T09:55", "11-28T09:50"],
        ),
        (
            "30 6 ? * 1 *",
            ["11-22T06:30", "11-29T06:30", "12-06T06:30"],
        ),
        ("0 0 ? * L *", ["11-28T00:00", "12-05T00:00", "12-12T00:00"]),
        (
            "0 0 L * ? *",
            ["11-30T00:00", "12-31T00:00", "2027-01-31T00:00"],
        ),
        (
            "0 0 ? * FRI#2 *",
            ["12-11T00:00", "2027-01-08T00:00", "2027-02-12T00:00"],
        ),
        (
            "0 0 ? * 6L *",
            ["11-27T00:00", "12-25T00:00", "2027-01-29T00:00"],
        ),
        (
            "0 0 5W DEC,JAN ? 2026-2029",
            ["12-04T00:00", "2027-01-05T00:00", "2027-12-06T00:00"],
        ),
        (
            "0 0 1 jan ? 2027/2",
            ["2027-01-01T00:00", "2029-01-01T00:00", "2031-01-01T00:00"],
        ),
        (
            "0 0 29 2 ? *",
            ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"],
        ),
        (
            "5,40 */12 30-31 * ? *",
            ["11-30T00:05", "11-30T00:40", "11-30T12:05"],
        ),
    ];
    for (fields, expected) in cases {
        let expected = expected.map(|time| {
            let year = if time.len() == 11 { "2026-" } else { "" };
            format!("{year}{time}:00Z")
        });
        assert_eq!(
            occurrences(&format!("cron({fields})"), "UTC", after, 3),
            expected,
            "{fields}"
        );
    }
}

#[test]
fn a_cron_schedule_follows_the_wall_clock_of_its_time_zone() {
    assert_eq!(
        occurrences(
            "cron(30 9 ? * MON-FRI *)",
            "America/New_York",
            "2026-03-05T12:00:00Z",
            3
        ),
        [
            "2026-03-05T14:30:00Z",
            "2026-03-06T14:30:00Z",
            "2026-03-09T13:30:00Z"
        ]
    );
    assert_eq!(
        occurrences(
            "cron(0 9 * * ? *)",
            "Asia/Ho_Chi_Minh",
            "2026-11-21T00:00:00Z",
            1
        ),
        ["2026-11-21T02:00:00Z"]
    );
}

#[test]
fn a_time_that_the_clock_leaves_out_is_skipped() {
    // New York's clock goes from 02:00 to 03:00 on 2026-03-08.
    assert_eq!(
        occurrences(
            "cron(30 2 * * ? *)",
            "America/New_York",
            "2026-03-07T12:00:00Z",
            2
        ),
        ["2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z"]
    );
    assert_eq!(
        occurrences(
            "cron(0/30 1-3 8 3 ? 2026)",
            "America/New_York",
            "2026-03-08T00:00:00Z",
            9
        ),
        [
            "2026-03-08T06:00:00Z",
            "2026-03-08T06:30:00Z",
            "2026-03-08T07:00:00Z",
            "2026-03-08T07:30:00Z"
        ]
    );
}

#[test]
fn a_time_that_the_clock_repeats_fires_once() {
    // New York's clock goes from 02:00 EDT back to 01:00 EST on 2026-11-01, at 06:00 UTC.
    assert_eq!(
        occurrences(
            "cron(30 1 * * ? *)",
            "America/New_York",
            "2026-11-01T04:00:00Z",
            2
        ),
        ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
    );
    assert_eq!(
        occurrences(
            "cron(0/30 * * * ? *)",
            "America/New_York",
            "2026-11-01T05:00:00Z",
            2
        ),
        ["2026-11-01T05:30:00Z", "2026-11-01T07:00:00Z"]
    );
    assert_eq!(
        occurrences(
            "cron(0/30 * * * ? *)",
            "America/New_York",
            "2026-11-01T06:10:00Z",
            1
        ),
        ["2026-11-01T07:00:00Z"]
    );
}

#[test]
fn a_one_time_schedule_fires_once_on_the_wall_clock() {
    assert_eq!(
        occurrences(
            "at(2026-11-21T09:00:00)",
            "Europe/Paris",
            "2026-11-21T07:59:59Z",
            5
        ),
        ["2026-11-21T08:00:00Z"]
    );
    assert!(occurrences("at(2026-11-21T09:00:00)", "UTC", "2026-11-21T09:00:00Z", 5).is_empty());
}

#[test]
fn a_schedule_that_never_comes_again_has_no_next_time() {
    assert!(occurrences("cron(0 0 1 1 ? 2020)", "UTC", "2026-11-21T09:00:00Z", 1).is_empty());
    assert!(occurrences("cron(0 0 31 FEB ? *)", "UTC", "2026-11-21T09:00:00Z", 1).is_empty());
}
