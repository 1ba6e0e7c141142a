use std::fmt::Write as _;

use flumen_flink_conf::{Configuration, Severity, Strictness, Value, check};
use flumen_model::FlinkMinor;

#[test]
fn findings_say_what_is_wrong_and_what_to_do() {
    let mut configuration = Configuration::new(FlinkMinor::new(1, 20));
    configuration.extend([
        ("rest.port", Value::from("80800000000")),
        ("execution.runtime-mode", Value::from("batched")),
        ("heartbeat.timeout", Value::from("1 week")),
        ("kubernetes.jobmanager.labels", Value::from("team")),
        ("kubernetes.jobmanager.annotations.a", Value::List(Vec::new())),
        ("execution.attached", Value::from("ja")),
        ("parallelism.default", Value::List(vec!["1".to_owned()])),
        ("s3.secret-key", Value::from("anything")),
        ("security.ssl.rest.key-password", Value::List(vec!["hunter2".to_owned()])),
        ("paralelism.default", Value::Integer(2)),
        ("kubernetes.persistent-volume-claims", Value::from("a:/b")),
        ("state.backend.rocksdb.memory.manged", Value::Boolean(true)),
        ("state.backend", Value::from("rocksdb")),
        ("execution.buffer-timeout", Value::from("10 ms")),
        ("my.own.key", Value::from("anything")),
    ]);
    let mut report = String::new();
    for finding in check(&configuration, Strictness::JobFile) {
        writeln!(report, "{:?}: {finding}", finding.severity).expect("a String takes it");
    }
    insta::assert_snapshot!(report);
    let drop_in = check(&configuration, Strictness::DropIn);
    assert!(drop_in.iter().all(|finding| finding.severity == Severity::Warning));
}

#[test]
fn a_key_of_another_version_is_named_as_such_before_anything_is_suggested() {
    let mut configuration = Configuration::new(FlinkMinor::new(2, 0));
    configuration.set_text("jobmanager.heap.size", "1g");
    let findings = check(&configuration, Strictness::JobFile);
    assert_eq!(
        findings[0].to_string(),
        "Flink 2.0 has no option 'jobmanager.heap.size': it is an option of Flink 1.11 to 1.20"
    );
}
