use proptest::prelude::*;

use super::*;

fn item(least: u16, greatest: u16) -> impl Strategy<Value = String> {
    let value = least..=greatest;
    prop_oneof![
        value.clone().prop_map(|a| a.to_string()),
        (value.clone(), 1..=greatest).prop_map(|(a, step)| format!("{a}/{step}")),
        (value.clone(), value).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
    ]
}

fn field(least: u16, greatest: u16) -> impl Strategy<Value = String> {
    let items = prop::collection::vec(item(least, greatest), 1..4);
    prop_oneof![
        Just("*".to_owned()),
        items.prop_map(|items| items.join(","))
    ]
}

prop_compose! {
    fn cron()(
        minutes in field(0, 59),
        hours in field(0, 23),
        days in prop_oneof![
            field(1, 31).prop_map(|day| (day, "?".to_owned())),
            (1..=31_u16).prop_map(|day| (format!("{day}W"), "?".to_owned())),
            ("[1-7](#[1-5]|L)?|SUN|SAT|MON-FRI|L").prop_map(|day| ("?".to_owned(), day)),
        ],
        month in field(1, 12),
        year in field(1970, 2199),
    ) -> String {
        format!("cron({minutes} {hours} {} {month} {} {year})", days.0, days.1)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_an_expression_or_one_sentence(
        text in "\\PC{0,40}|(rate|cron|at)\\(\\PC{0,40}\\)|cron\\(([0-9*?LW#,/A-Z-]{1,6} ){5}[0-9*/,-]{1,9}\\)"
    ) {
        if let Err(error) = text.parse::<Expression>() {
            let one_line = error.to_string().lines().count() <= text.lines().count().max(1);
            prop_assert!(one_line, "{}", error);
        }
    }

    #[test]
    fn the_next_time_of_a_cron_schedule_is_later_and_on_a_whole_minute(
        text in cron(),
        after in 0..4_000_000_000_i64,
        zone in prop::sample::select(vec!["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    ) {
        let after = Timestamp::from_second(after).unwrap();
        let zone = TimeZone::get(zone).unwrap();
        if let Some(next) = expression(&text).next_after(after, after, &zone) {
            prop_assert!(next > after);
            prop_assert_eq!(zone.to_datetime(next).second(), 0);
        }
    }

    #[test]
    fn the_next_time_of_a_rate_is_within_one_period(
        minutes in 2..100_000_u32,
        start in 0..4_000_000_000_i64,
        elapsed in 0..1_000_000_000_i64,
    ) {
        let rate = expression(&format!("rate({minutes} minutes)"));
        let start = Timestamp::from_second(start).unwrap();
        let after = Timestamp::from_second(start.as_second() + elapsed).unwrap();
        let next = rate.next_after(after, start, &TimeZone::UTC).unwrap();
        let period = i64::from(minutes) * 60;
        prop_assert!(next > after && next.as_second() - after.as_second() <= period);
        prop_assert_eq!((next.as_second() - start.as_second()) % period, 0);
    }
}
