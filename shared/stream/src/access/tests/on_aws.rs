use jiff::Timestamp;
use secrets::{AwsAccount, Credentials};
use serde_json::{Value, json};

use super::*;
use crate::msk::tests::Api;

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

/// An MSK cluster with SCRAM whose API answers these in turn, and whose secret holds these passwords in turn.
async fn over_scram(answers: &[(u16, Value)], passwords: &[&str]) -> (Access, Arc<Store>, Api) {
    let api = Api::answering(answers).await;
    let users = passwords
        .iter()
        .map(|password| json!({"username": "ann", "password": password}).to_string());
    let secrets = BTreeMap::from([("ssm:user".to_owned(), users.collect())]);
    let secrets = Arc::new(Store(Mutex::new(secrets)));
    let store: Arc<dyn FetchSecret> = Arc::<Store>::clone(&secrets);
    let parts = Parts {
        brokers: Brokers::Msk(Box::new(Msk::new(ARN.to_owned(), Arc::clone(&api.account)))),
        method: Method::Scram(Key::fetched("ssm:user".parse().unwrap(), store)),
        ca: None,
        create_partitions: None,
    };
    (Access(Source::Settings(Arc::new(parts))), secrets, api)
}

fn brokers(list: &str) -> (u16, Value) {
    (200, json!({"bootstrapBrokerStringSaslScram": list}))
}

const REFUSAL: (u16, Value) = (403, Value::Null);

/// Lets the time pass after which a secret is fetched and MSK asked again; real time otherwise, for real requests.
async fn later() {
    tokio::time::pause();
    advance(Duration::from_mins(2)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn the_brokers_of_a_cluster_in_any_order_and_selection_are_no_news_and_others_are() {
    let answers = [
        brokers("b-1:9096,b-2:9096,b-3:9096"),
        brokers("b-3:9096,b-1:9096,b-2:9096"),
        brokers("b-5:9096,b-3:9096,b-4:9096"),
        brokers("b-6:9096,b-7:9096"),
    ];
    let (access, _, api) = over_scram(&answers, &["p"]).await;
    let old = access.cluster().await.unwrap();
    for questions in [2, 3] {
        later().await;
        assert_eq!(access.renewed(&old).await, Ok(None));
        assert_eq!(api.questions(), questions);
    }
    later().await;
    let new = access.renewed(&old).await.unwrap().unwrap();
    assert_eq!(new.brokers(), "b-6:9096,b-7:9096");
    assert_eq!(new.security(), old.security());
}

#[tokio::test]
async fn new_brokers_are_found_while_the_secret_can_not_be_had() {
    let answers = [brokers("b-1:9096"), brokers("b-2:9096")];
    let (access, secrets, _api) = over_scram(&answers, &["p"]).await;
    let old = access.cluster().await.unwrap();
    secrets.0.lock().unwrap().clear();
    later().await;
    let new = access.renewed(&old).await.unwrap().unwrap();
    assert_eq!(new.brokers(), "b-2:9096");
    assert_eq!(new.security(), old.security(), "the password that is held");
    later().await;
    let error = access.renewed(&new).await.unwrap_err();
    assert!(matches!(error, AccessError::Secret(_)), "{error:?}");
    assert_eq!(access.cluster().await, Ok(new));
}

#[tokio::test]
async fn a_new_password_is_found_while_msk_refuses_to_tell_its_brokers() {
    let answers = [brokers("b-1:9096"), REFUSAL];
    let (access, _, _api) = over_scram(&answers, &["old", "new"]).await;
    let old = access.cluster().await.unwrap();
    later().await;
    let new = access.renewed(&old).await.unwrap().unwrap();
    assert_eq!(new.brokers(), old.brokers());
    assert_ne!(new.security(), old.security());
    later().await;
    let error = access.renewed(&new).await.unwrap_err();
    assert!(matches!(error, AccessError::Msk(_)), "{error:?}");
    assert_eq!(access.cluster().await, Ok(new));
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
