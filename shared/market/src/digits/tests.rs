use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

#[test]
fn a_string_of_digits_is_written_as_a_number_with_the_same_digits() {
    let digits: Digits = serde_json::from_str(r#""69624.00000000""#).unwrap();
    assert_eq!(serde_json::to_string(&digits).unwrap(), "69624.00000000");
    assert_eq!(digits.value(), Decimal::from(69_624));
}

#[test]
fn an_exponent_is_kept_and_understood() {
    let digits: Digits = serde_json::from_str("1.5e-07").unwrap();
    assert_eq!(serde_json::to_string(&digits).unwrap(), "1.5e-07");
    assert_eq!(digits.value(), Decimal::new(15, 8));
}

#[test]
fn null_is_an_absent_number() {
    let digits: Vec<Option<Digits>> = serde_json::from_str("[null,1]").unwrap();
    assert_eq!(serde_json::to_string(&digits).unwrap(), "[null,1]");
}

#[test]
fn what_json_would_not_write_as_a_number_is_refused_by_name() {
    for input in [
        "", " 1", "1 ", "01", "+1", ".5", "1.", "1e", "NaN", "0x1", "1_000", "1,5", "null", "[1]",
    ] {
        assert_eq!(
            input.parse::<Digits>().unwrap_err().to_string(),
            format!("{input:?} is not a decimal number as JSON writes one, such as -0.25")
        );
    }
    for json in ["true", "{}", "[1]", r#""""#, r#""abc""#] {
        assert!(serde_json::from_str::<Digits>(json).is_err(), "{json}");
    }
}

#[test]
fn a_number_that_no_decimal_holds_is_refused() {
    for input in [
        "1e400",
        "1e-400",
        "99999999999999999999999999999999",
        &"1".repeat(65),
    ] {
        let error = input.parse::<Digits>().unwrap_err();
        assert!(matches!(error, DigitsError::OutOfRange { .. }), "{error}");
    }
}

proptest! {
    #[test]
    fn digits_in_are_digits_out(text in "-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,16})?([eE](-(1?[0-9]|2[0-8])|[+]?[0-9]))?") {
        let number: Digits = serde_json::from_str(&text).unwrap();
        let string: Digits = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        prop_assert_eq!(serde_json::to_string(&number).unwrap(), text.as_str());
        prop_assert_eq!(serde_json::to_string(&string).unwrap(), text.as_str());
        prop_assert_eq!(number.value(), string.value());
    }

    #[test]
    fn the_value_is_the_amount_that_the_digits_write(mantissa in any::<i64>(), scale in 0u32..=18) {
        let amount = Decimal::new(mantissa, scale);
        prop_assert_eq!(amount.to_string().parse::<Digits>().unwrap().value(), amount);
    }

    #[test]
    fn any_text_is_taken_verbatim_or_refused(text in ".{0,80}|[-+0-9.eE]{0,80}") {
        if let Ok(digits) = text.parse::<Digits>() {
            prop_assert_eq!(serde_json::to_string(&digits).unwrap(), text);
        }
    }
}
