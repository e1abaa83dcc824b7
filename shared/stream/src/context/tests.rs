use std::fmt::Debug;

use secrets::Secret;
use tokio::time::timeout;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::with_default,
};

use super::*;
use crate::Security;

fn context() -> Context {
    let security = Security::Scram {
        ca: None,
        user: "ann".to_owned(),
        password: Secret::from("c0ffee".to_owned()),
    };
    Context::new(&Cluster::new("b:9096", security).unwrap())
}

fn tell(context: &Context, code: RDKafkaErrorCode, reason: &str) {
    context.error(KafkaError::Global(code), reason);
}

#[test]
fn why_the_brokers_refuse_outlasts_that_they_are_all_down_and_ends_with_an_answer() {
    let context = context();
    tell(
        &context,
        RDKafkaErrorCode::Authentication,
        "sasl_ssl://b:9096/bootstrap: SASL authentication error: no c0ffee",
    );
    tell(
        &context,
        RDKafkaErrorCode::AllBrokersDown,
        "1/1 brokers are down",
    );
    let said = context.refused().unwrap().to_string();
    assert!(
        said.contains("the broker b:9096 refuses the credentials"),
        "{said}"
    );
    assert!(
        said.contains("no ***") && !said.contains("c0ffee"),
        "{said}"
    );
    context.answered();
    assert_eq!(context.trouble(), None);
}

#[tokio::test]
async fn a_refusal_and_the_loss_of_every_broker_are_told_and_the_loss_of_one_is_not() {
    let context = context();
    tell(
        &context,
        RDKafkaErrorCode::BrokerTransportFailure,
        "b:9096/1: Connection refused",
    );
    assert!(!is_told(&context).await);
    tell(
        &context,
        RDKafkaErrorCode::AllBrokersDown,
        "1/1 brokers are down",
    );
    assert!(is_told(&context).await);
    tell(&context, RDKafkaErrorCode::Authentication, "b:9096/1: no");
    assert!(is_told(&context).await);
    assert!(!is_told(&context).await, "once");
}

async fn is_told(context: &Context) -> bool {
    let told = context.troubled.notified();
    timeout(Duration::ZERO, told).await.is_ok()
}

/// A log that keeps its lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        self.0.lock().unwrap().push_str(&format!("{value:?}\n"));
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let level = format!("{} ", event.metadata().level());
        self.0.lock().unwrap().push_str(&level);
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_password_that_a_broker_repeats_is_in_no_line_of_the_log() {
    let (context, log) = (context(), Log::default());
    with_default(log.clone(), || {
        context.log(RDKafkaLogLevel::Error, "FAIL", "b:9096/1: no c0ffee");
        context.log(RDKafkaLogLevel::Debug, "SASL", "b:9096/1: no c0ffee");
        tell(&context, RDKafkaErrorCode::Authentication, "no c0ffee");
    });
    let said = log.0.lock().unwrap();
    assert_eq!(said.matches("no ***").count(), 3, "{said}");
    assert!(!said.contains("c0ffee"), "{said}");
}

#[test]
fn a_report_is_logged_once_whichever_way_and_however_often_it_comes() {
    let (context, log) = (context(), Log::default());
    let refused = "sasl_ssl://b:9096/1: SASL authentication error: no";
    with_default(log.clone(), || {
        for attempt in 1..9 {
            let after =
                format!("(after {attempt}ms in state AUTH_REQ, 3 identical error(s) suppressed)");
            let line = format!("[thrd:sasl_ssl://b:9096/1]: {refused} {after}");
            context.log(RDKafkaLogLevel::Error, "FAIL", &line);
            let reason = format!("{refused} {after}");
            tell(&context, RDKafkaErrorCode::Authentication, &reason);
        }
        let other = refused.replace("b:9096", "c:9096");
        tell(&context, RDKafkaErrorCode::Authentication, &other);
    });
    let said = log.0.lock().unwrap();
    let lines: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("ERROR"))
        .collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].contains("the broker b:9096 refuses"), "{said}");
    assert!(lines[1].contains("the broker c:9096 refuses"), "{said}");
}
