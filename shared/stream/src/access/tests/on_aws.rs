use jiff::Timestamp;
use secrets::{AwsAccount, Credentials};

use super::*;

const ARN: &str = "arn:aws:kafka:eu-west-1:123456789012:cluster/quotes/id-2";
const SERVERLESS: &str = "boot-x1.c2.kafka-serverless.eu-north-1.amazonaws.com:9098";

fn on_aws(settings: &[(&str, &str)]) -> Result<Access, AccessError> {
    let settings: BTreeMap<_, _> = settings.iter().copied().collect();
    let lookup = |name: &str| settings.get(name).map(|&value| value.to_owned());
    let credentials = Credentials::new("test", "test", None, None, "test");
    let account = Arc::new(AwsAccount::at("http://127.0.0.1:1", credentials));
    Access::on_aws(&lookup, &account, || Timestamp::UNIX_EPOCH)
}

async fn region(settings: &[(&str, &str)]) -> String {
    let iam = [settings, &[("KAFKA_SECURITY", "iam")]].concat();
    let access = on_aws(&iam).unwrap();
    let Source::Settings(parts) = &access.0 else {
        panic!("settings were given");
    };
    let Method::Iam(iam) = &parts.method else {
        panic!("iam was asked for");
    };
    iam.region.clone()
}

#[tokio::test]
async fn tokens_are_for_the_region_of_the_cluster_not_of_the_function() {
    let own = ("AWS_REGION", "us-east-1");
    let named = ("KAFKA_BOOTSTRAP_SERVERS", SERVERLESS);
    let cname = ("KAFKA_BOOTSTRAP_SERVERS", "kafka.example.com:9098");
    let arn = ("MSK_CLUSTER_ARN", ARN);
    let china = "b-1.q.x.c2.kafka.cn-north-1.amazonaws.com.cn:9098,b-2:9098";
    let china = ("KAFKA_BOOTSTRAP_SERVERS", china);
    assert_eq!(region(&[arn, own]).await, "eu-west-1");
    assert_eq!(region(&[arn, cname, own]).await, "eu-west-1");
    assert_eq!(region(&[named, own]).await, "eu-north-1");
    assert_eq!(region(&[china, own]).await, "cn-north-1");
    assert_eq!(region(&[cname, own]).await, "us-east-1");
    let nowhere = on_aws(&[cname, ("KAFKA_SECURITY", "iam")]);
    assert_eq!(nowhere.unwrap_err(), AccessError::NoRegion);
}

#[tokio::test]
async fn addresses_that_are_given_win_over_those_that_msk_would_tell() {
    let settings = [
        ("KAFKA_BOOTSTRAP_SERVERS", SERVERLESS),
        ("MSK_CLUSTER_ARN", ARN),
        ("KAFKA_SECURITY", "iam"),
    ];
    let access = on_aws(&settings).unwrap();
    let cluster = access.cluster().await.unwrap();
    assert_eq!(cluster.brokers(), SERVERLESS);
    assert_eq!(cluster.security().name(), "iam");
    assert_eq!(
        access.renewed(&cluster).await,
        Ok(None),
        "the same source of tokens"
    );
}

#[test]
fn what_is_no_arn_of_a_cluster_is_one_sentence_with_the_form() {
    let said = on_aws(&[("MSK_CLUSTER_ARN", "quotes")]).unwrap_err();
    assert_eq!(
        said.to_string(),
        "the setting MSK_CLUSTER_ARN is 'quotes' (that is no ARN of an MSK cluster): set it to \
         arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/ID"
    );
    assert_eq!(on_aws(&[]).unwrap_err(), AccessError::NoBrokers);
}
