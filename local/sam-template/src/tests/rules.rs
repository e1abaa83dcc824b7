use super::*;

fn with(rules: &str) -> String {
    let rules = rules.replace('\n', "\n  ");
    format!(
        "Parameters:
  Mode: {{Type: String, Default: a}}
  Zones: {{Type: CommaDelimitedList, Default: ''}}
Rules:
  {rules}
Resources:
  Lake: {{Type: AWS::S3::Bucket}}
"
    )
}

const RULE: &str = "Own:
  RuleCondition: !Equals [!Ref Mode, b]
  Assertions:
    - Assert: !And [!Not [!EachMemberEquals [!Ref Zones, '']], !Contains [!Ref Zones, z]]
      AssertDescription: b needs the zone z.";

#[test]
fn an_assertion_is_checked_where_its_condition_holds() {
    let buckets =
        |parameters: &[(&str, &str)]| parse(&with(RULE), &given(parameters)).unwrap().buckets;
    assert_eq!(buckets(&[]), ["lake"]);
    assert_eq!(buckets(&[("Mode", "b"), ("Zones", "y,z")]), ["lake"]);
    for zones in ["", "y"] {
        assert_eq!(
            sentence(&with(RULE), &[("Mode", "b"), ("Zones", zones)]),
            "template.yaml line 8: by the rule Own: b needs the zone z"
        );
    }
}

#[test]
fn a_rule_that_can_not_be_read_is_refused() {
    for (rule, expected) in [
        ("Own: {}", "5: Rules.Own has no Assertions: add it"),
        (
            "Own: {Assertions: x}",
            "5: Rules.Own.Assertions must be a list, and it is the text 'x': correct it",
        ),
        (
            "Own: {Assertions: [{AssertDescription: x}]}",
            "5: Rules.Own.Assertions has no Assert: add it",
        ),
        (
            "Own: {Assertions: [{Assert: !ValueOf [Zones, Name]}]}",
            "5: !ValueOf is not something the local plane can resolve: give the value by --parameter or write it out",
        ),
        (
            "Own: {Assertions: [{Assert: !Contains [x]}]}",
            "5: !Contains takes a list of two arguments: correct its arguments",
        ),
    ] {
        assert_eq!(
            sentence(&with(rule), &[]),
            format!("template.yaml line {expected}")
        );
    }
}
