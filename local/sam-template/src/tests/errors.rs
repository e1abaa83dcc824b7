use super::*;

fn variable(written: &str) -> String {
    refusal(&format!("Environment:\n  Variables:\n    VALUE: {written}"))
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = read(Path::new("nowhere/template.yaml"), &BTreeMap::new()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("nowhere/template.yaml can't be read ("),
        "{error}"
    );
}

#[test]
fn the_file_is_named_as_it_was_given() {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), "Resources: []").unwrap();
    let error = read(file.path(), &BTreeMap::new()).unwrap_err().to_string();
    let expected = format!(
        "{} line 1: Resources must be a map, and it is a list: correct it",
        file.path().display()
    );
    assert_eq!(error, expected);
}

#[test]
fn a_text_that_is_no_template_is_refused_with_its_line() {
    for (text, expected) in [
        (
            "",
            "line 1: this is not YAML that can be read (there is nothing in it): correct it",
        ),
        (
            "# nothing\n",
            "line 1: this is not YAML that can be read (there is nothing in it): correct it",
        ),
        (
            "just text",
            "line 1: the template must be a map, and it is the text 'just text': correct it",
        ),
        (
            "Description: x",
            "line 1: the template has no Resources: add it",
        ),
        (
            "Resources:\n  A:\n    Type: X\n  A:\n    Type: Y",
            "line 4: this is not YAML that can be read (duplicated key in mapping): correct it",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "line 3: this is not YAML that can be read (there is a second document): correct it",
        ),
        (
            "Resources:\n  ? [a]\n  : b",
            "line 2: this is not YAML that can be read (a key is not a text): correct it",
        ),
        (
            "Resources:\n  A: &a 0100\n  B: *a",
            "line 3: this is not YAML that can be read (an alias of a number does not keep its digits): correct it",
        ),
        (
            "Resources:\n  A:\n    Properties: {}",
            "line 2: A has no Type: add it",
        ),
        (
            "Resources:\n  A:\n    Type: AWS::Serverless::Function",
            "line 2: A has no Metadata.BuildProperties.Binary: add it",
        ),
        (
            "Resources:\n  AB: {Type: AWS::S3::Bucket, Properties: {BucketName: My Lake}}",
            "line 2: AB.BucketName is 'My Lake': it must be 3 to 63 lower-case letters, digits, dots and hyphens, a letter or digit at both ends",
        ),
    ] {
        assert_eq!(
            sentence(text, &[]),
            format!("template.yaml {expected}"),
            "{text}"
        );
    }
    let unclosed = sentence("Resources:\n  A: [1,\n", &[]);
    assert!(
        unclosed.contains("line 3: this is not YAML that can be read ("),
        "{unclosed}"
    );
}

#[test]
fn a_name_that_is_no_name_of_a_file_is_refused() {
    const LETTERS: &str = "it must be 1 to 255 letters of A to Z, a to z and digits";
    let function = |id: &str, binary: &str, event: &str| {
        format!(
            "Resources:\n  {id}:\n    Type: AWS::Serverless::Function\n    Metadata: {{BuildProperties: {{Binary: {binary}}}}}\n    Properties:\n      Events:\n        {event}: {{Type: ScheduleV2, Properties: {{ScheduleExpression: rate(1 minute)}}}}"
        )
    };
    let text = function("Poller", "quote-poller_2", "Minute");
    assert_eq!(parse(&text, &BTreeMap::new()).unwrap().functions.len(), 1);
    for id in ["../../x", "/etc/x", "a.b", "a b", "a-b", "Ä", "x\u{202e}y"] {
        for (text, expected) in [
            (
                function(&format!("'{id}'"), "poller", "Minute"),
                format!("line 2: the logical id is '{id}': {LETTERS}"),
            ),
            (
                format!("Resources:\n  '{id}': {{Type: AWS::S3::Bucket}}"),
                format!("line 2: the logical id is '{id}': {LETTERS}"),
            ),
            (
                function("Poller", "poller", &format!("'{id}'")),
                format!("line 7: the name of an event of Poller is '{id}': {LETTERS}"),
            ),
        ] {
            assert_eq!(sentence(&text, &[]), format!("template.yaml {expected}"));
        }
    }
    for binary in ["../../bin/sh", "/bin/sh", ".", "''"] {
        assert_eq!(
            sentence(&function("Poller", binary, "Minute"), &[]),
            format!(
                "template.yaml line 4: Poller.Metadata.BuildProperties.Binary is '{}': it must be the name of a Cargo binary: letters, digits, - and _",
                binary.trim_matches('\'')
            )
        );
    }
    for bucket in ["...", ".bucket-x", "lake-"] {
        let text = format!(
            "Resources:\n  Lake: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {bucket}}}}}"
        );
        let said = sentence(&text, &[]);
        assert!(said.contains("a letter or digit at both ends"), "{said}");
    }
}

#[test]
fn an_intrinsic_that_can_not_be_resolved_is_refused_with_its_line() {
    for (written, expected) in [
        (
            "!ImportValue Elsewhere",
            "!ImportValue is not something the local plane can resolve: give the value by --parameter or write it out",
        ),
        (
            "!GetAtt Poller.Version",
            "!GetAtt Poller.Version is not something the local plane can resolve: give the value by --parameter or write it out",
        ),
        (
            "!Ref AWS::StackId",
            "!Ref AWS::StackId is not something the local plane can resolve: give the value by --parameter or write it out",
        ),
        (
            "!Ref Nowhere",
            "there is no parameter or resource Nowhere: declare it or correct the name",
        ),
        (
            "!Sub '${Nowhere.Arn}'",
            "there is no parameter or resource Nowhere: declare it or correct the name",
        ),
        (
            "!FindInMap [A, b, c]",
            "there is no entry of Mappings A.b.c: declare it or correct the name",
        ),
        (
            "!If [Nowhere, a, b]",
            "there is no condition Nowhere: declare it or correct the name",
        ),
        (
            "!If [Nowhere, a]",
            "!If takes a list of three arguments: correct its arguments",
        ),
        (
            "!Join [',', a]",
            "!Join must be a list, and it is the text 'a': correct it",
        ),
        (
            "!Join [',', [[a]]]",
            "an item of !Join must be a text, and it is a list: correct it",
        ),
        (
            "!Split ['', a]",
            "!Split takes a delimiter that is not empty: correct its arguments",
        ),
        (
            "!Select [2, [a, b]]",
            "the index of !Select is '2': it must be a number below 2, the length of the list",
        ),
        (
            "!Ref [a]",
            "!Ref takes a name that is written out: correct its arguments",
        ),
        (
            "!GetAtt Poller",
            "!GetAtt takes a resource and an attribute: correct its arguments",
        ),
        (
            "!Equals [a, a]",
            "!Equals takes a place under Conditions or in !If: correct its arguments",
        ),
        (
            "[a]",
            "Poller.Properties.Environment.Variables.VALUE must be a text, and it is a list: correct it",
        ),
    ] {
        assert_eq!(
            variable(written),
            format!("template.yaml line 8: {expected}"),
            "{written}"
        );
    }
}

#[test]
fn a_circle_is_refused() {
    let conditions = "
Conditions:
  A: !Not [!Condition B]
  B: !Or [!Condition A, !Condition A]
Resources:
  Lake: {Type: AWS::S3::Bucket, Condition: A}";
    assert_eq!(
        sentence(conditions, &[]),
        "template.yaml line 4: the condition A refers to itself: break the circle"
    );
    let buckets = "
Resources:
  One: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Two}}
  Two: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub '${One}-2'}}";
    assert_eq!(
        sentence(buckets, &[]),
        "template.yaml line 3: One.BucketName refers to itself: break the circle"
    );
}

#[test]
fn a_reference_to_what_a_condition_leaves_out_is_refused() {
    let text = "
Conditions: {No: !Equals [a, b]}
Resources:
  One: {Type: AWS::S3::Bucket, Condition: No}
  Two: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref One}}";
    assert_eq!(
        sentence(text, &[]),
        "template.yaml line 5: the resource One is left out because its condition is false: refer to it under the same condition"
    );
}

#[test]
fn a_parameter_that_can_not_be_is_refused() {
    let text = "
Parameters:
  Level: {Type: String, Default: loud, AllowedValues: [info, debug]}
  Size: {Type: Number, MinValue: 1, MaxValue: 10}
  Key: {Type: String, NoEcho: true, MinLength: 3}
  Zones: {Type: CommaDelimitedList, AllowedValues: [a, b]}
  Latest: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /quotelake/brokers}
Resources:
  Lake: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Level}}
  Other: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Latest}}";
    let level = ("Level", "debug");
    for (parameters, expected) in [
        (
            vec![],
            "3: the parameter Level is 'loud': it must be one of info, debug",
        ),
        (
            vec![("Colour", "red")],
            "2: the template has no parameter Colour: its parameters are Level, Size, Key, Zones, Latest",
        ),
        (
            vec![level, ("Size", "many")],
            "4: the parameter Size is 'many': it must be a number",
        ),
        (
            vec![level, ("Size", "0")],
            "4: the parameter Size is '0': it must be at least 1",
        ),
        (
            vec![level, ("Size", "11")],
            "4: the parameter Size is '11': it must be at most 10",
        ),
        (
            vec![level, ("Key", "k3")],
            "5: the parameter Key is a secret that it may not be: it must be at least 3 characters long",
        ),
        (
            vec![level, ("Zones", "a, c")],
            "6: the parameter Zones is 'a, c': it must be one of a, b",
        ),
        (
            vec![level],
            "10: !Ref Latest is not something the local plane can resolve: give the value by --parameter or write it out",
        ),
    ] {
        assert_eq!(
            sentence(text, &parameters),
            format!("template.yaml line {expected}")
        );
    }
    let patterns = "
Parameters:
  Pair: {Type: String, AllowedPattern: '[A-Z]+', ConstraintDescription: a pair in capitals.}
  Word: {Type: String, AllowedPattern: '^[a-z]+$'}
  Java: {Type: String, AllowedPattern: '(?=a)a'}";
    for (parameter, expected) in [
        (
            ("Pair", "BTC,ETH"),
            "3: the parameter Pair is 'BTC,ETH': it must be a pair in capitals",
        ),
        (
            ("Word", ""),
            "4: the parameter Word is '': it must be a match of ^[a-z]+$",
        ),
    ] {
        assert_eq!(
            sentence(patterns, &[parameter]),
            format!("template.yaml line {expected}")
        );
    }
    let needed = "
Parameters: {Name: {Type: String}}
Resources:
  Lake: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Name}}";
    assert_eq!(
        sentence(needed, &[]),
        "template.yaml line 4: the parameter Name has no default: give it by --parameter Name=VALUE"
    );
}
