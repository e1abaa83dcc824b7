use super::*;

/// What surrounds the value of a variable.
const TEMPLATE: &str = "
Parameters:
  Name: {Type: String, Default: quotes}
  Count: {Type: Number, Default: 7}
  Subnets: {Type: CommaDelimitedList, Default: 'a, b'}
  Empty: {Type: String, Default: ''}
Mappings:
  Hosts:
    us-east-1: {arm64: arm.example, list: [x, y]}
Conditions:
  Yes: !Equals [!Ref Name, quotes]
  No: !Not [!Condition Yes]
  LongYes: {'Fn::Equals': [{Ref: Name}, quotes]}
  LongNo: {'Fn::Not': [{Condition: Yes}]}
  Both: !And [!Condition Yes, !Not [!Condition No]]
  LongBoth: {'Fn::And': [{Condition: Yes}, {'Fn::Not': [{Condition: No}]}]}
  NotBoth: !And [!Condition Yes, !Condition No]
  Either: !Or [!Condition No, !Condition Yes]
  LongEither: {'Fn::Or': [{Condition: No}, {Condition: Yes}]}
  Neither: !Or [!Condition No, !Condition LongNo]
Resources:
  BronzeBucket: {Type: AWS::S3::Bucket}
  MSKData2Lake: {Type: AWS::S3::Bucket}
  Named: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub 'lake-${Name}'}}
  Poller:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: poller}}
    Properties:
      Environment:
        Variables:
          VALUE: ";

fn value_of(written: &str) -> Option<String> {
    let mut function = function_of(&format!("{TEMPLATE}{written}\n"));
    function.environment.remove("VALUE")
}

#[test]
fn every_intrinsic_resolves_in_both_forms() {
    let cases = [
        ("!Ref Name", "{Ref: Name}", "quotes"),
        ("!Ref Count", "{Ref: Count}", "7"),
        ("!Ref Empty", "{Ref: Empty}", ""),
        ("!Ref AWS::Region", "{Ref: 'AWS::Region'}", "us-east-1"),
        (
            "!Ref AWS::AccountId",
            "{Ref: 'AWS::AccountId'}",
            "000000000000",
        ),
        ("!Ref AWS::Partition", "{Ref: 'AWS::Partition'}", "aws"),
        (
            "!Ref AWS::StackName",
            "{Ref: 'AWS::StackName'}",
            "quotelake-local",
        ),
        (
            "!Ref AWS::URLSuffix",
            "{Ref: 'AWS::URLSuffix'}",
            "amazonaws.com",
        ),
        ("!Ref BronzeBucket", "{Ref: BronzeBucket}", "bronze-bucket"),
        ("!Ref MSKData2Lake", "{Ref: MSKData2Lake}", "msk-data2-lake"),
        ("!Ref Named", "{Ref: Named}", "lake-quotes"),
        ("!Ref Poller", "{Ref: Poller}", "Poller"),
        (
            "!GetAtt Named.Arn",
            "{'Fn::GetAtt': [Named, Arn]}",
            "arn:aws:s3:::lake-quotes",
        ),
        (
            "!GetAtt [Poller, Arn]",
            "{'Fn::GetAtt': Poller.Arn}",
            "arn:aws:lambda:us-east-1:000000000000:function:Poller",
        ),
        (
            "!Sub '${Name}/${BronzeBucket.Arn}/${AWS::Region}/${!Name}/${'",
            "{'Fn::Sub': '${Name}/${BronzeBucket.Arn}/${AWS::Region}/${!Name}/${'}",
            "quotes/arn:aws:s3:::bronze-bucket/us-east-1/${Name}/${",
        ),
        (
            "!Sub ['${Name}-${Other}', {Other: !Ref Count, Name: own}]",
            "{'Fn::Sub': ['${Name}-${Other}', {Other: {Ref: Count}, Name: own}]}",
            "own-7",
        ),
        (
            "!Join ['/', [a, !Ref Name, !Ref AWS::NoValue, 1.0]]",
            "{'Fn::Join': ['/', [a, {Ref: Name}, {Ref: 'AWS::NoValue'}, 1.0]]}",
            "a/quotes/1.0",
        ),
        ("!Sub 0100", "{'Fn::Sub': 0100}", "0100"),
        (
            "!Join ['', !Ref Subnets]",
            "{'Fn::Join': ['', {Ref: Subnets}]}",
            "ab",
        ),
        (
            "!Select [1, !Ref Subnets]",
            "{'Fn::Select': ['1', {Ref: Subnets}]}",
            "b",
        ),
        (
            "!Select [1, !Split [':cluster/', 'arn:cluster/name/id']]",
            "{'Fn::Select': [1, {'Fn::Split': [':cluster/', 'arn:cluster/name/id']}]}",
            "name/id",
        ),
        (
            "!FindInMap [Hosts, !Ref AWS::Region, arm64]",
            "{'Fn::FindInMap': [Hosts, {Ref: 'AWS::Region'}, arm64]}",
            "arm.example",
        ),
        (
            "!Select [0, !FindInMap [Hosts, us-east-1, list]]",
            "{'Fn::Select': [0, {'Fn::FindInMap': [Hosts, us-east-1, list]}]}",
            "x",
        ),
        (
            "!If [Yes, !Ref Name, !ImportValue Elsewhere]",
            "{'Fn::If': [LongYes, {Ref: Name}, {'Fn::ImportValue': Elsewhere}]}",
            "quotes",
        ),
        (
            "!If [No, a, !If [Both, b, c]]",
            "{'Fn::If': [LongNo, a, {'Fn::If': [LongBoth, b, c]}]}",
            "b",
        ),
        ("!If [Either, a, b]", "{'Fn::If': [LongEither, a, b]}", "a"),
        ("!If [NotBoth, a, b]", "{'Fn::If': [Neither, a, b]}", "b"),
    ];
    for (short, long, expected) in cases {
        for written in [short, long] {
            assert_eq!(value_of(written).as_deref(), Some(expected), "{written}");
        }
    }
}

#[test]
fn no_value_leaves_a_member_out() {
    assert_eq!(value_of("!If [No, a, !Ref AWS::NoValue]"), None);
    assert_eq!(
        value_of("{'Fn::If': [Yes, {Ref: 'AWS::NoValue'}, a]}"),
        None
    );
}

#[test]
fn an_alias_stands_for_what_it_names() {
    let function = function_of(&format!("{TEMPLATE}&v quotes\n          COPY: *v\n"));
    assert_eq!(function.environment["COPY"], "quotes");
    assert_eq!(value_of("&v 0100").as_deref(), Some("0100"));
}

#[test]
fn a_value_that_aws_alone_knows_harms_only_who_reads_it() {
    let text = format!(
        "{TEMPLATE}ok\n      Policies: [!ImportValue Elsewhere]\n      Role: !GetAtt Missing.Arn\nOutputs: {{Value: !Foo bar}}\n"
    );
    assert_eq!(function_of(&text).environment["VALUE"], "ok");
}
