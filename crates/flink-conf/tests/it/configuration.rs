use std::{collections::BTreeMap, time::Duration};

use flumen_flink_conf::{Configuration, ConfigurationFormat, Error, Value};
use flumen_model::{ByteSize, FlinkMinor};

fn configuration(entries: &[(&str, &str)]) -> Configuration {
    let mut configuration = Configuration::new(FlinkMinor::new(1, 20));
    configuration.extend(entries.iter().copied());
    configuration
}

#[test]
fn values_come_from_the_key_then_its_aliases_then_the_default() {
    let set = configuration(&[("state.backend", "rocksdb"), ("jobmanager.rpc.port", "7000")]);
    assert_eq!(set.string("state.backend.type"), Ok(Some("rocksdb".to_owned())));
    assert_eq!(set.integer("jobmanager.rpc.port"), Ok(Some(7000)));
    assert_eq!(set.integer("rest.port"), Ok(Some(8081)));
    assert_eq!(
        set.size("jobmanager.memory.off-heap.size"),
        Ok(Some(ByteSize::from_mebibytes(128)))
    );
    assert_eq!(set.duration("heartbeat.timeout"), Ok(Some(Duration::from_secs(50))));
    assert_eq!(set.string("jobmanager.memory.process.size"), Ok(None));
    assert_eq!(set.string("my.own.key"), Ok(None));
    assert!(set.is_set("state.backend.type") && !set.is_set("rest.port"));
    let both = configuration(&[("state.backend", "rocksdb"), ("state.backend.type", "hashmap")]);
    assert_eq!(
        both.entry_of("state.backend.type"),
        Some(("state.backend.type", &Value::from("hashmap")))
    );
}

#[test]
fn a_wrong_value_is_named_with_the_key_under_which_it_stands() {
    let set = configuration(&[
        ("kubernetes.rest-service.exposed.type", "nodeport"),
        ("env.java.opts", "x"),
    ]);
    assert_eq!(set.word("kubernetes.rest-service.exposed.type"), Ok(Some("NodePort".to_owned())));
    let set = configuration(&[
        ("kubernetes.rest-service.exposed.type", "Ingress"),
        ("jobmanager.heap.size", "1x"),
    ]);
    let error = set.word("kubernetes.rest-service.exposed.type").expect_err("no such type");
    assert_eq!(
        error.to_string(),
        "could not parse value 'Ingress' for key 'kubernetes.rest-service.exposed.type': expected one of ClusterIP, \
         NodePort, LoadBalancer, Headless_ClusterIP"
    );
}

#[test]
fn a_secret_is_not_in_the_error() {
    let set = configuration(&[("security.ssl.rest.key-password", "hunter2")]);
    let error = set.integer("security.ssl.rest.key-password").expect_err("no number");
    assert!(matches!(&error, Error::ParseValue { value, .. } if value == "******"), "{error}");
}

#[test]
fn maps_are_read_from_one_value_or_from_keys_below() {
    let expected = Ok(Some(BTreeMap::from([("team".to_owned(), "a".to_owned())])));
    for entries in [
        [("kubernetes.jobmanager.labels", "team:a")],
        [("kubernetes.jobmanager.labels", "{team: a}")],
        [("kubernetes.jobmanager.labels.team", "a")],
    ] {
        assert_eq!(configuration(&entries).map("kubernetes.jobmanager.labels"), expected);
        assert!(configuration(&entries).is_set("kubernetes.jobmanager.labels"));
    }
    assert_eq!(configuration(&[]).map("kubernetes.jobmanager.labels"), Ok(None));
}

#[test]
fn maps_are_not_read_from_keys_below_before_1_14() {
    let mut set = Configuration::new(FlinkMinor::new(1, 13));
    set.set_text("kubernetes.jobmanager.labels.team", "a");
    assert_eq!(set.map("kubernetes.jobmanager.labels"), Ok(None));
    let findings = flumen_flink_conf::check(&set, flumen_flink_conf::Strictness::JobFile);
    assert_eq!(
        findings[0].to_string(),
        "Flink 1.13 has no option 'kubernetes.jobmanager.labels.team': it is an option of Flink 1.14 to 2.3"
    );
}

#[test]
fn typed_values_are_read_as_they_are() {
    let mut set = Configuration::with_format(FlinkMinor::new(1, 18), ConfigurationFormat::Legacy);
    let jars = vec!["local:///a;b.jar".to_owned(), String::new()];
    set.set("pipeline.jars", jars.clone());
    set.set("kubernetes.jobmanager.cpu.amount", 1.5);
    set.set("rest.port", 9000);
    assert_eq!(set.list("pipeline.jars"), Ok(Some(jars)));
    assert_eq!(set.double("kubernetes.jobmanager.cpu.amount"), Ok(Some(1.5)));
    assert_eq!(set.integer("rest.port"), Ok(Some(9000)));
    assert_eq!(set.string("rest.port"), Ok(Some("9000".to_owned())));
}

#[test]
fn fractions_have_flinks_precision() {
    let set = configuration(&[]);
    let fraction = set
        .double("jobmanager.memory.jvm-overhead.fraction")
        .expect("a default")
        .expect("a default");
    assert!((fraction - f64::from(0.1_f32)).abs() < 1e-12 && (fraction - 0.1).abs() > 1e-10);
}
