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

#[test]
fn numbers_out_of_the_range_that_flink_checks_in_the_cluster_are_found_before() {
    let allowed = |key: &str, value: &str| {
        let mut configuration = Configuration::new(FlinkMinor::new(1, 20));
        configuration.set_text(key, value);
        check(&configuration, Strictness::JobFile).first().map(ToString::to_string)
    };
    for (key, good, bad) in [
        ("rest.port", ["0", "65535"], ["-1", "65536"]),
        ("rest.bind-port", ["8081", "50100-50200, 50300"], ["http", "8081-70000"]),
        ("taskmanager.memory.managed.fraction", ["0", "0.99"], ["-0.1", "1.0"]),
        ("kubernetes.jobmanager.cpu.limit-factor", ["1", "2.5"], ["0.5", "NaN"]),
        ("kubernetes.jobmanager.replicas", ["1", "2"], ["0", "-1"]),
        ("taskmanager.numberOfTaskSlots", ["1", "-1"], ["0", "-2"]),
        ("execution.checkpointing.interval", ["10 ms", "1 min"], ["9 ms", "0"]),
    ] {
        for value in good {
            assert_eq!(allowed(key, value), None, "{key}: {value}");
        }
        for value in bad {
            let text = allowed(key, value).unwrap_or_default();
            assert!(text.contains(key) && text.contains(": expected "), "{key}: {value}: {text}");
        }
    }
}

#[test]
fn what_the_old_file_would_cut_is_an_error_in_a_job_and_passed_on_by_a_drop_in() {
    for (value, words) in [("a#b", "cut at its first '#'"), ("a\nrest.port: 1", "line breaks")] {
        let mut configuration = Configuration::new(FlinkMinor::new(1, 18));
        configuration.set_text("my.key", value);
        let findings = check(&configuration, Strictness::JobFile);
        assert_eq!(findings[0].severity, Severity::Error);
        let text = findings[0].to_string();
        assert!(text.contains("my.key") && text.contains(words), "{text}");
        assert_eq!(check(&configuration, Strictness::DropIn), []);

        let mut configuration = Configuration::new(FlinkMinor::new(1, 19));
        configuration.set_text("my.key", value);
        assert_eq!(check(&configuration, Strictness::JobFile), []);
    }
}
