use super::*;

#[test]
fn the_reason_of_a_start_that_failed_is_the_last_error_of_this_start() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let old = "FATAL:  an old one\n";
    let new = "LOG:  starting\nFATAL:  lock file \"x\"\nLOG:  down\n";
    fs::write(&log, format!("{old}{new}")).unwrap();
    let logged = u64::try_from(old.len()).unwrap();
    let said = last_error(&log, logged);
    assert_eq!(said, "FATAL:  lock file \"x\"");
    assert!(is_passing(&said));
    assert!(!is_passing("FATAL:  data directory has wrong ownership"));
    assert_eq!(
        last_error(&folder.path().join("none"), 0),
        "it says nothing"
    );
}
