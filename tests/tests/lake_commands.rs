//! The commands that look after a lake, on what `quotelake up` has left.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use pipeline_tests::plane::{bin_dir, workspace};
use serde_json::Value;
use tokio::{process::Command, time::timeout};

async fn quotelake(arguments: &[&str], data: &Path) -> Output {
    let bin_dir = bin_dir().await;
    let mut command = Command::new(bin_dir.join("quotelake"));
    command
        .current_dir(workspace())
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env_remove("FINNHUB_API_KEY")
        .kill_on_drop(true);
    if arguments[0] == "up" {
        command.arg("--bin-dir").arg(bin_dir);
    }
    timeout(Duration::from_secs(90), command.output())
        .await
        .expect("an end within 90 s")
        .unwrap()
}

fn last_line(output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// Every object in `folder`, at any depth.
fn objects(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| objects(folder)));
    files
}

#[tokio::test]
async fn what_a_run_has_left_is_inspected_and_has_nothing_to_replay() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let twice = "StockSymbols=AAPL@XNAS,IBM@XNYS,AAPL@XNAS";
    let up = ["up", "--for", "11s", "--json", "--parameter", twice];
    let up = quotelake(&up, &data).await;
    let summary = last_line(&up);
    assert_eq!(up.status.code(), Some(0), "{summary}");
    assert_eq!(summary["counts"]["failed"], 1, "{summary}");
    let log = std::fs::read_to_string(data.join("logs/StockQuotesPoller.log")).unwrap();
    assert_eq!(log.matches("\"duplicate-symbol\"").count(), 1, "{log}");

    let inspected = quotelake(&["inspect", "--json"], &data).await;
    let contents = last_line(&inspected);
    assert_eq!(inspected.status.code(), Some(0), "{contents}");
    let topics = contents["topics"].as_array().unwrap();
    let names: Vec<&str> = topics
        .iter()
        .map(|of| of["topic"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "crypto-prices",
            "stock-board",
            "stock-historical",
            "stock-intraday",
            "stock-prices",
            "stock-quotes",
            "trades_raw",
        ]
    );
    let records: u64 = topics
        .iter()
        .map(|of| of["records"].as_u64().unwrap())
        .sum();
    assert_eq!(Some(records), summary["audit"]["in_bronze"].as_u64());
    let symbols = topics[0]["symbols"].as_array().unwrap();
    assert!(
        symbols.iter().any(|of| of["symbol"] == "BTCUSDT"),
        "{contents}"
    );

    let table = quotelake(&["inspect", "--topic", "stock-quotes"], &data).await;
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(
        table.contains("AAPL") && !table.contains("BTCUSDT"),
        "{table}"
    );

    let replayed = quotelake(&["replay"], &data).await;
    let said = String::from_utf8(replayed.stdout).unwrap();
    assert_eq!(replayed.status.code(), Some(0), "{said}");
    assert_eq!(said, "quarantine: there is nothing to do\n");

    let first = Path::new(contents["lake"].as_str().unwrap()).join("lake_topic=stock-quotes");
    let object = objects(&first).pop().unwrap();
    let whole = std::fs::read(&object).unwrap();
    std::fs::write(&object, [&whole[..], b"x"].concat()).unwrap();
    let damaged = quotelake(&["inspect", "--json"], &data).await;
    let contents = last_line(&damaged);
    assert_eq!(damaged.status.code(), Some(1), "{contents}");
    assert_eq!(contents["damaged"]["count"], 1, "{contents}");
    assert_eq!(contents["topics"].as_array().unwrap().len(), 7);

    let nowhere = quotelake(&["inspect", "--record", "stock-quotes-0@999999"], &data).await;
    assert_eq!(nowhere.status.code(), Some(1));
}

#[tokio::test]
async fn a_lake_that_is_not_there_is_one_sentence_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["inspect", "replay"] {
        let output = quotelake(&[command], &folder.path().join("absent")).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("run `quotelake up` first"), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
}
