use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

fn text(number: &str) -> String {
    number.parse::<Number>().unwrap().to_string()
}

#[test]
fn a_number_has_the_text_that_postgres_prints() {
    // Compared with PostgreSQL 15: SELECT '...'::numeric::text.
    for (number, printed) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0.0"),
        ("0e5", "0"),
        ("-0E-3", "0.000"),
        ("0.00e1", "0.0"),
        ("1.10", "1.10"),
        ("1.10e2", "110"),
        ("1.105e2", "110.5"),
        ("1.10e+0", "1.10"),
        ("1.10e1", "11.0"),
        ("1.5e-3", "0.0015"),
        ("-12.50E-1", "-1.250"),
        ("0.05e1", "0.5"),
        ("0.005e3", "5"),
        ("1e00000000000000000000000000002", "100"),
        ("9217126554917738496", "9217126554917738496"),
        (
            "0.1234567890123456789012345678901234567890",
            "0.1234567890123456789012345678901234567890",
        ),
    ] {
        assert_eq!(text(number), printed, "{number}");
    }
    assert_eq!(text("1e308"), format!("1{}", "0".repeat(308)));
    assert_eq!(text("-1e-400"), format!("-0.{}1", "0".repeat(399)));
}

#[test]
fn what_is_no_number_of_reason_is_named() {
    for number in [
        "",
        "-",
        ".",
        "1.",
        ".5",
        "+1",
        "01",
        "-00.5",
        "1e",
        "1e+",
        "1e1.5",
        "1.2.3",
        " 1",
        "1 ",
        "1,5",
        "0x1",
        "1_0",
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "null",
        "١",
    ] {
        let sentence = number.parse::<Number>().unwrap_err().to_string();
        let expected = format!("{number:?} is no number: write decimal digits, such as 12.5");
        assert_eq!(sentence, expected);
    }
    let sentence = |number: &str| number.parse::<Number>().unwrap_err().to_string();
    for number in ["1e401", "1E-401", "0e99999999999999999999999"] {
        let expected =
            format!("{number:?} has an exponent beyond 400: write a number within 1e400");
        assert_eq!(sentence(number), expected);
    }
    assert_eq!(text(&"9".repeat(100)), "9".repeat(100));
    let expected = format!(
        "\"{}\"... has more than 100 characters: write fewer digits",
        "9".repeat(64)
    );
    assert_eq!(sentence(&"9".repeat(101)), expected);
}

#[test]
fn what_postgres_prints_is_taken_whole_and_nothing_else() {
    let long = format!("-{}.{}", "9".repeat(1_000), "0".repeat(1_000));
    for printed in ["0", "0.00", "-0.01", "110", &long] {
        let number = Number::from_numeric(printed.to_owned()).unwrap();
        assert_eq!(number.as_str(), printed);
    }
    for printed in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e2",
        "-0",
        "-0.0",
        "01",
        "",
    ] {
        let refused = Number::from_numeric(printed.to_owned());
        assert_eq!(refused, Err(NumberError::NotANumber(printed.to_owned())));
    }
}

proptest! {
    #[test]
    fn a_small_number_is_that_of_a_decimal_library(unscaled in -10_i64.pow(17)..10_i64.pow(17), scale in 0..18_u32) {
        let decimal = Decimal::new(unscaled, scale);
        prop_assert_eq!(text(&decimal.to_string()), decimal.to_string());
    }

    #[test]
    fn an_exponent_moves_the_point_and_keeps_the_digits(
        whole in "0|[1-9][0-9]{0,20}", fraction in "[0-9]{1,20}", exponent in 0..60_usize, negative in any::<bool>(),
    ) {
        let sign = if negative { "-" } else { "" };
        let is_zero = [&whole, &fraction].iter().all(|digits| digits.bytes().all(|digit| digit == b'0'));
        let sign_printed = if is_zero { "" } else { sign };
        // Up: the digits of the fraction come before the point one after another, then zeros do.
        let mut moved: Vec<char> = fraction.chars().collect();
        let mut before = whole.clone();
        for _ in 0..exponent {
            before.push(if moved.is_empty() { '0' } else { moved.remove(0) });
        }
        let before = before.trim_start_matches('0');
        let before = if before.is_empty() { "0" } else { before };
        let moved: String = moved.into_iter().collect();
        let point = if moved.is_empty() { "" } else { "." };
        let printed = format!("{sign_printed}{before}{point}{moved}");
        prop_assert_eq!(text(&format!("{sign}{whole}.{fraction}e{exponent}")), printed);
        // Down: zeros come first.
        let all = format!("{}{whole}{fraction}", "0".repeat(exponent));
        let (before, after) = all.split_at(all.len() - fraction.len() - exponent);
        let before = before.trim_start_matches('0');
        let before = if before.is_empty() { "0" } else { before };
        let printed = format!("{sign_printed}{before}.{after}");
        prop_assert_eq!(text(&format!("{sign}{whole}.{fraction}E-{exponent}")), printed);
    }

    #[test]
    fn a_number_is_read_if_json_has_it_and_comes_back_from_its_text(text in "-?[0-9.eE+-]{0,12}") {
        let json: Result<&serde_json::value::RawValue, _> = serde_json::from_str(&text);
        match text.parse::<Number>() {
            Ok(number) => {
                prop_assert!(json.is_ok(), "{}", text);
                let printed = number.to_string();
                prop_assert_eq!(Number::from_numeric(printed.clone()), Ok(number.clone()));
                // What an exponent made longer than a record may have it is the database's alone.
                if printed.len() <= NUMBER_MAX {
                    prop_assert_eq!(printed.parse::<Number>(), Ok(number));
                }
            }
            Err(NumberError::NotANumber(_)) => prop_assert!(json.is_err(), "{}", text),
            Err(_) => prop_assert!(json.is_ok(), "{}", text),
        }
    }

    #[test]
    fn any_text_is_a_number_or_a_sentence(text in ".{0,120}") {
        let _ = text.parse::<Number>();
        let _ = Number::from_numeric(text);
    }
}
