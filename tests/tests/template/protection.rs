//! What lies still is encrypted, private and, where it may be forgotten, forgotten.

use serde_json::{Value, json};

use super::{Template, document::texts};

#[test]
fn a_bucket_is_private_and_encrypted_and_outlives_the_stack() {
    let template = Template::read();
    for (id, bucket) in template.resources("AWS::S3::Bucket") {
        let properties = &bucket["Properties"];
        assert_eq!(
            properties["PublicAccessBlockConfiguration"],
            json!({"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true}),
            "{id}"
        );
        let encryption = &properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
        assert_eq!(
            encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"],
            json!({"Fn::If": ["HasKmsKey", "aws:kms", "AES256"]}),
            "{id}"
        );
        assert_eq!(bucket["DeletionPolicy"], "RetainExceptOnCreate", "{id}");
        assert_eq!(bucket["UpdateReplacePolicy"], "Retain", "{id}");
    }
}

#[test]
fn the_bucket_refuses_a_write_to_what_the_functions_write_without_a_condition() {
    let template = Template::read();
    let policy = &template.section("Resources")["BronzeBucketPolicy"]["Properties"];
    assert_eq!(policy["Bucket"], json!({"Ref": "BronzeBucket"}));
    let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
    let refused = statements
        .iter()
        .find(|statement| statement["Sid"] == "RefuseUnconditionalWrites")
        .unwrap();
    assert_eq!(
        *refused,
        json!({
            "Sid": "RefuseUnconditionalWrites",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": [
                {"Fn::Sub": "${BronzeBucket.Arn}/${SilverPrefix}/*"},
                {"Fn::Sub": "${BronzeBucket.Arn}/${BronzePrefix}/*"},
                {"Fn::Sub": "${BronzeBucket.Arn}/${DatabaseQuarantinePrefix}/*"}
            ],
            // Without either header, and only where an object comes to be: no part of a multipart upload.
            "Condition": {
                "Null": {"s3:if-none-match": "true", "s3:if-match": "true"},
                "Bool": {"s3:ObjectCreationOperation": "true"}
            }
        })
    );
}

#[test]
fn a_queue_is_encrypted_by_a_key_of_the_account_or_of_sqs() {
    let template = Template::read();
    for (id, queue) in template.resources("AWS::SQS::Queue") {
        let properties = &queue["Properties"];
        let nothing = json!({"Ref": "AWS::NoValue"});
        assert_eq!(
            properties["SqsManagedSseEnabled"],
            json!({"Fn::If": ["HasKmsKey", nothing, true]}),
            "{id}"
        );
        assert_eq!(
            properties["KmsMasterKeyId"],
            json!({"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, nothing]}),
            "{id}"
        );
    }
}

#[test]
fn logs_go_to_groups_of_the_stack_and_are_forgotten_in_time() {
    let template = Template::read();
    let groups = template.resources("AWS::Logs::LogGroup");
    for (id, group) in &groups {
        let retention = &group["Properties"]["RetentionInDays"];
        assert_eq!(*retention, json!({"Ref": "LogRetentionDays"}), "{id}");
    }
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let own = &function["Properties"]["LoggingConfig"]["LogGroup"];
        let group = if own.is_null() {
            &template.globals()["LoggingConfig"]["LogGroup"]
        } else {
            own
        };
        let name = group["Ref"].as_str().unwrap();
        assert!(groups.iter().any(|(group, _)| *group == name), "{id}");
    }
}

#[test]
fn no_secret_is_written_down() {
    let template = Template::read();
    let mut hidden = Vec::new();
    for (name, parameter) in template.section("Parameters") {
        if parameter["NoEcho"] == true {
            assert_eq!(parameter["Default"], "", "{name}");
            hidden.push(name.as_str());
        }
        let secret = ["Password", "Token", "ApiKey", "Secret"];
        let reference = ["Arn", "Url"];
        if secret.iter().any(|word| name.contains(word))
            && !reference.iter().any(|end| name.ends_with(end))
        {
            assert_eq!(parameter["NoEcho"], true, "{name}");
        }
    }
    let functions = template.resources("AWS::Serverless::Function");
    let environments = functions
        .iter()
        .map(|(_, function)| &function["Properties"]["Environment"]["Variables"]);
    for environment in environments.chain([&template.globals()["Environment"]["Variables"]]) {
        for (name, value) in environment.as_object().into_iter().flatten() {
            let secret = ["KEY", "SECRET", "PASSWORD", "TOKEN", "CREDENTIALS"];
            let is_secret = secret.iter().any(|word| name.contains(word));
            let is_hidden = texts(value).iter().any(|text| hidden.contains(text));
            assert!(
                is_secret || !is_hidden,
                "{name}: name it as the secret it is"
            );
            if is_secret {
                assert!(matches!(value, Value::Object(_)), "{name}: {value}");
            }
        }
    }
}

#[test]
fn a_trigger_never_gives_up_on_records() {
    let template = Template::read();
    for (id, mapping) in template.resources("AWS::Lambda::EventSourceMapping") {
        let properties = &mapping["Properties"];
        assert!(properties.get("DestinationConfig").is_none(), "{id}");
        assert!(
            properties.get("MaximumRecordAgeInSeconds").is_none(),
            "{id}"
        );
        assert_eq!(
            properties["MaximumRetryAttempts"],
            json!({"Fn::If": ["Provisioned", -1, {"Ref": "AWS::NoValue"}]}),
            "{id}"
        );
        assert_eq!(
            properties["FunctionResponseTypes"],
            json!({"Fn::If": ["Provisioned", ["ReportBatchItemFailures"], {"Ref": "AWS::NoValue"}]}),
            "{id}"
        );
    }
    for function in ["BronzeWriter", "QuoteUpserter"] {
        let properties = &template.section("Resources")[function]["Properties"];
        assert_eq!(
            properties["Environment"]["Variables"]["FAILURE_RESPONSE"],
            json!({"Fn::If": ["NamesFailedItems", "items", "batch"]}),
            "{function}"
        );
    }
}
