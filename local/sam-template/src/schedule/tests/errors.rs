use super::*;

#[test]
fn a_wrong_expression_gets_one_sentence_with_the_remedy() {
    for (text, sentence) in [
        (
            "every minute",
            "'every minute' is no schedule expression: write rate(1 minute), cron(0 9 ? * MON-FRI *) or at(2026-11-21T09:00:00)",
        ),
        (
            "rate(0 minutes)",
            "'rate(0 minutes)' is no rate: write a whole number above zero and minutes, hours or days, as in rate(5 minutes)",
        ),
        (
            "rate(1 minutes)",
            "'rate(1 minutes)' has the wrong unit: write rate(1 minute)",
        ),
        (
            "rate(5 hour)",
            "'rate(5 hour)' has the wrong unit: write rate(5 hours)",
        ),
        (
            "cron(* * * * *)",
            "'cron(* * * * *)' has 5 fields: a cron expression has six, minutes hours day-of-month month day-of-week year",
        ),
        (
            "cron(0 9 * * MON *)",
            "'cron(0 9 * * MON *)' must have ? either as day-of-month or as day-of-week: put ? for the one that you do not mean",
        ),
        (
            "cron(60 9 * * ? *)",
            "the minutes field '60' can't be read: write *, or values from 0 to 59, ascending ranges a-b and steps a/n between commas",
        ),
        (
            "cron(0 9 ? * 0 *)",
            "the day-of-week field '0' can't be read: write *, or values from 1 to 7 or SUN to SAT, ascending ranges a-b between commas, or L, or the second Friday as in FRI#2, or the last one as in FRIL",
        ),
        (
            "at(2026-11-21 09:00)",
            "'at(2026-11-21 09:00)' is no date and time: write it like at(2026-11-21T09:00:00)",
        ),
    ] {
        assert_eq!(
            text.parse::<Expression>().unwrap_err().to_string(),
            sentence
        );
    }
}

#[test]
fn what_the_service_refuses_is_refused() {
    for text in [
        "",
        "rate()",
        "rate(1)",
        "rate(-1 minutes)",
        "rate(+2 minutes)",
        "rate(1.5 hours)",
        "rate(30 seconds)",
        "rate(2 weeks)",
        "rate(99999999999999999999 days)",
        "rate(18446744073709551615 days)",
        "Rate(1 minute)",
        "rate(1 minute",
        "cron(0 9 ? * ? *)",
        "cron(0/0 9 ? * MON *)",
        "cron(/5 9 ? * MON *)",
        "cron(0 9, ? * MON *)",
        "cron(0 9-5 ? * MON *)",
        "cron(0 24 ? * MON *)",
        "cron(0 9 ? 13 MON *)",
        "cron(0 9 ? * MONDAY *)",
        "cron(0 9 ? * MON#6 *)",
        "cron(0 9 ? * 2/2 *)",
        "cron(0 9 32 * ? *)",
        "cron(0 9 W * ? *)",
        "cron(0 9 1 * ? 1969)",
        "cron(@daily 9 1 * ? *)",
        "at()",
        "at(2026-02-30T09:00:00)",
        "at(2026-11-21T09:00:00Z)",
        "at(2026-11-21)",
    ] {
        assert!(text.parse::<Expression>().is_err(), "{text}");
    }
}
