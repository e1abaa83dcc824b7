use super::*;

const WORD: Setting = Setting::new("WORD", Absent::Is("a"), Form::OneOf(&["a", "b", "c"]), "");
const SIZE: Setting = Setting::new("SIZE", Absent::Required, Form::Number(1, 9), "");

fn refused<T: FromStr<Err: Display>>(setting: Setting, value: &str) -> String {
    let read = setting.read::<T>(&|name| (name == setting.name).then(|| value.to_owned()));
    read.err().unwrap().to_string()
}

#[test]
fn a_missing_or_blank_setting_is_one_sentence_with_the_remedy() {
    let said = "the setting SIZE is missing: set it to a whole number from 1 to 9";
    for blank in ["", " \n"] {
        assert_eq!(refused::<u8>(SIZE, blank), said);
    }
    let absent = SIZE.read::<u8>(&|_| None);
    assert_eq!(absent.unwrap_err().to_string(), said);
    assert_eq!(SIZE.optional::<u8>(&|_| None), Ok(None));
}

#[test]
fn a_wrong_value_is_named_with_its_problem_and_the_remedy() {
    for (value, problem) in [
        ("0", "out of range"),
        ("10", "out of range"),
        ("-1", "out of range"),
        ("99999999999", "out of range"),
        ("1.5", "not a number"),
        ("-", "not a number"),
    ] {
        assert_eq!(
            refused::<u32>(SIZE, value),
            format!(
                "the setting SIZE is '{value}' ({problem}): set it to a whole number from 1 to 9"
            )
        );
    }
    assert_eq!(
        refused::<String>(WORD, "d"),
        "the setting WORD is 'd' (there is no such value): set it to 'a', 'b' or 'c'"
    );
}

#[test]
fn the_value_of_a_secret_is_in_no_error() {
    let error = SIZE
        .secret()
        .read::<u8>(&|_| Some("c0ffee".to_owned()))
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("c0ffee"), "{error}");
    assert_eq!(
        error.to_string(),
        "the setting SIZE can't be used (not a number): set it to a whole number from 1 to 9"
    );
}

#[test]
fn a_value_is_trimmed_and_wins_over_the_default() {
    let b = |_: &str| Some(" b\n".to_owned());
    assert_eq!(WORD.read::<String>(&b), Ok("b".to_owned()));
    assert_eq!(WORD.read::<String>(&|_| None), Ok("a".to_owned()));
}
