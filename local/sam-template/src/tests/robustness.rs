use proptest::prelude::*;

use super::*;

fn repository_text() -> String {
    std::fs::read_to_string(repository_template()).unwrap()
}

#[test]
fn nesting_beyond_reason_is_one_sentence() {
    for text in [
        "- ".repeat(100_000),
        "[".repeat(200),
        format!("Resources: {}{}", "[".repeat(100), "]".repeat(100)),
        (0..400)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect(),
        format!("Resources:\n  Lake: {}", "!Not ".repeat(1_000)),
    ] {
        let error = parse(&text, &BTreeMap::new()).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_long_chain_of_references_ends() {
    let mut text = "Resources:\n".to_owned();
    for link in 0..5_000 {
        let next = link + 1;
        text.push_str(&format!(
            "  Bucket{link}: {{Type: AWS::S3::Bucket, Properties: {{BucketName: !Ref Bucket{next}}}}}\n"
        ));
    }
    text.push_str("  Bucket5000: {Type: AWS::S3::Bucket}\n");
    let error = parse(&text, &BTreeMap::new()).unwrap_err().to_string();
    assert!(
        error.ends_with("this is nested too deeply: write it flatter"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn any_text_is_a_pipeline_or_an_error(text in "\\PC{0,200}") {
        let _ = parse(&text, &BTreeMap::new());
    }

    #[test]
    fn any_yaml_like_text_is_a_pipeline_or_an_error(
        text in "([ ]{0,6}(- |\\? )?(Resources|Type|Ref|Fn::Sub|Condition|a|'b'|&c|\\*c|!Ref|!If)?(:|: )?[\\[\\]{}a,|>!#]{0,4}\n){0,12}"
    ) {
        let _ = parse(&text, &BTreeMap::new());
    }

    #[test]
    fn the_template_with_a_wrong_line_is_a_pipeline_or_an_error_with_a_line(
        line in any::<prop::sample::Index>(),
        other in prop_oneof!["\\PC{0,60}", "[ ]{0,10}(Type|Timeout|Topics|Input|VALUE): [!\\[{a-zA-Z: ,}\\]]{0,20}"],
    ) {
        let text = repository_text();
        let mut lines: Vec<&str> = text.lines().collect();
        let count = lines.len();
        lines[line.index(count)] = &other;
        if let Err(TemplateError::Wrong { line, .. }) = parse(&lines.join("\n"), &brokers()) {
            prop_assert!((1..=count + 1).contains(&line), "{}", line);
        }
    }
}
