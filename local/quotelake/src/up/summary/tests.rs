use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn proven(function: &str, polled: u64, records: u64, in_bronze: u64) -> Proven {
    let is_missing = in_bronze + 1 < records;
    Proven {
        function: function.to_owned(),
        proof: "bronze",
        location: "there".to_owned(),
        polled,
        backlog: 0,
        judgement: Judgement {
            counted: Counted::Records,
            exact: !is_missing,
            records,
            accounted: in_bronze + 1,
            parts: format!("bronze {in_bronze} + quarantine 1"),
            findings: if is_missing { "1 missing: t-0@1\n" } else { "" }.to_owned(),
            details: json!({ "in_topics": records }),
        },
    }
}

fn summary(polled: u64, records: u64, in_bronze: u64, backlog: u64) -> Summary {
    let proven = proven("BronzeWriter", polled, records, in_bronze);
    Summary {
        seconds: 60.0,
        shared_topics: false,
        counts: Counts::default(),
        proofs: vec![Proven { backlog, ..proven }],
        unverified: Vec::new(),
    }
}

fn left(records: i64) -> BTreeMap<String, FunctionCounts> {
    let of_group = ("g".to_owned(), [("t-0".to_owned(), records)].into());
    let counts = FunctionCounts {
        lag: [of_group].into(),
        ..FunctionCounts::default()
    };
    [("QuoteUpserter".to_owned(), counts)].into()
}

#[test]
fn a_run_is_exact_only_if_all_three_counts_agree() {
    assert!(summary(5, 5, 4, 0).is_success());
    assert!(summary(3, 5, 4, 2).is_success());
    assert!(!summary(5, 4, 3, 0).is_exact());
    assert!(!summary(4, 5, 4, 0).is_exact());
    assert!(!summary(5, 5, 3, 0).is_exact());
    let mut doubled = summary(5, 5, 4, 0);
    doubled.proofs[0].judgement.exact = false;
    assert!(!doubled.is_exact());
}

#[test]
fn a_run_with_dropped_records_is_not_exact_and_says_so() {
    let mut summary = summary(5, 5, 4, 0);
    summary.counts.sent_to_destination = 2;
    assert!(summary.is_exact());
    summary.counts.dropped = 1;
    assert!(!summary.is_exact());
    let text = summary.to_string();
    let line = "records given up by the triggers: dropped 1, sent to a destination 2\n";
    assert!(text.contains(line) && text.contains("NOT EXACT"), "{text}");
}

#[test]
fn records_that_a_function_has_not_answered_for_are_not_exact() {
    let mut summary = summary(5, 5, 4, 0);
    summary.counts.functions = left(3);
    assert!(!summary.is_exact());
    let text = summary.to_string();
    let line = "QuoteUpserter has not answered for 3 records (consumer group g)\n";
    assert!(text.contains(line) && text.contains("NOT EXACT"), "{text}");
}

#[test]
fn on_shared_brokers_others_may_publish_and_nothing_may_be_missing() {
    let shared = |summary| Summary {
        shared_topics: true,
        ..summary
    };
    assert!(shared(summary(4, 5, 4, 0)).is_exact());
    assert!(!shared(summary(6, 5, 4, 0)).is_exact());
    assert!(!shared(summary(4, 5, 3, 0)).is_exact());
}

#[test]
fn a_run_that_published_nothing_proves_nothing() {
    let mut idle = summary(0, 0, 0, 0);
    idle.proofs[0].judgement.accounted = 0;
    assert!(idle.is_exact() && !idle.is_success());
    assert!(idle.to_string().contains("nothing was published"));
}

#[test]
fn the_equality_is_one_line() {
    let text = summary(5, 5, 4, 0).to_string();
    assert!(
        text.contains("polled 5 = published 5 = bronze 4 + quarantine 1\n"),
        "{text}"
    );
    assert!(
        text.ends_with("nothing lost, nothing doubled: counted in the topics and in there"),
        "{text}"
    );
    let text = summary(5, 5, 3, 0).to_string();
    assert!(
        text.contains("polled 5 = published 5 ≠ bronze 3 + quarantine 1\n"),
        "{text}"
    );
    assert!(text.contains("1 missing: t-0@1\nNOT EXACT"), "{text}");
}

#[test]
fn several_functions_have_an_equality_and_a_verdict_each() {
    let mut summary = summary(5, 5, 4, 0);
    summary.proofs.push(proven("Second", 3, 3, 2));
    summary.unverified = vec!["BarRoller".to_owned()];
    assert!(summary.is_success());
    let text = summary.to_string();
    for line in [
        "BronzeWriter: polled 5 = published 5 = bronze 4 + quarantine 1\n",
        "Second: polled 3 = published 3 = bronze 2 + quarantine 1\n",
        "not verified: BarRoller\n",
        "Second: nothing lost, nothing doubled: ",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_pipeline_without_proofs_is_said_to_be_unverified() {
    let mut summary = summary(0, 0, 0, 0);
    summary.proofs.clear();
    summary.unverified = vec!["BarRoller".to_owned()];
    assert!(summary.is_success());
    let text = summary.to_string();
    assert!(text.ends_with("nothing is verified: no function has a proof"));
    summary.counts.functions = left(1);
    assert!(!summary.is_success());
}

#[test]
fn what_is_made_of_records_has_one_line_for_all_functions_and_needs_no_polls() {
    let bars = |function: &str, right: u64| {
        let mut made = proven(function, 0, 5, 4);
        made.judgement.counted = Counted::Made("bars");
        (made.judgement.accounted, made.judgement.exact) = (right, right == 5);
        made.judgement.parts = format!("right {right} + behind 0");
        made
    };
    let mut summary = summary(5, 5, 4, 0);
    summary.proofs.insert(0, bars("QuotesRoller", 5));
    summary.proofs.push(bars("TradesRoller", 5));
    assert!(summary.is_success());
    let text = summary.to_string();
    let equalities = "polled 5 = published 5 = bronze 4 + quarantine 1\nbars 10 = right 10\n";
    assert!(text.contains(equalities), "{text}");
    assert!(text.ends_with("the bars are those of all records together: in there"));
    assert_eq!(json!(summary)["audit"]["in_topics"], 5);

    summary.proofs[2] = bars("TradesRoller", 3);
    assert!(!summary.is_exact());
    let text = summary.to_string();
    let lines = "bars 10 ≠ right 8\nTradesRoller: right 3 + behind 0\n";
    assert!(
        text.contains(lines) && text.contains("the bars are NOT EXACT"),
        "{text}"
    );
}
