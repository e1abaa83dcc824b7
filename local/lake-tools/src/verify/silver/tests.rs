use clap::Parser;
use lake::{Compression, Granularity, Layout as Bronze, store::MemoryStore};

use super::*;
use crate::written::{Record, deliver, event, run, writer};

#[derive(Parser)]
struct Tool {
    #[command(flatten)]
    options: verify::Options,
    #[command(flatten)]
    silver: Silver,
}

#[test]
fn what_only_bronze_is_compared_with_is_refused_by_its_name() {
    let of = |more: &[&str]| {
        let tool = Tool::parse_from([&["verify"], more].concat());
        SilverOptions::of(tool.options, tool.silver)
    };
    assert!(of(&["--topic", "t", "--lateness", "2h"]).is_ok());
    for (wrong, name) in [
        (&["--brokers", "a:1"][..], "--brokers"),
        (&["--brokers", "a:1", "--template", "t.yaml"], "--brokers"),
        (&["--range", "t-0:1-2"], "--range"),
    ] {
        let said = of(wrong).unwrap_err().to_string();
        assert!(said.ends_with(&format!("leave {name} out")), "{said}");
    }
}

#[test]
fn bars_that_are_held_back_until_they_are_complete_leave_the_proof_of_a_run_exact() {
    run(async {
        let bronze = Bronze::new("bronze", Some("1"), Granularity::SEGMENT, Compression::None);
        let layout = Layout::new("silver", Some("1"), bronze);
        let trade = Record {
            topic: "trades_raw",
            partition: 0,
            offset: 0,
            value: Some(r#"{"symbol":"A","price":2,"size":3,"time":1779480000000}"#.to_owned()),
        };
        let writer = writer(MemoryStore::default(), layout.bronze());
        deliver(&writer, &event([&trade])).await;
        let topics = [("trades_raw".to_owned(), Rules::default())];
        let verdict = async || verdict(writer.store(), &layout, &topics).await.unwrap();
        let how = |provisional| How {
            provisional,
            ..How::default()
        };
        // Nobody has rolled.
        assert!(verdict().await.behind > 0);
        let behind: Judgement = verdict().await.after(how(true)).into();
        assert!(!behind.exact);
        let held_back: Judgement = verdict().await.after(how(false)).into();
        assert!(held_back.exact, "{}", held_back.findings);
    });
}
