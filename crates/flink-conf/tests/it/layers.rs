use std::collections::BTreeMap;

use flumen_flink_conf::{Error, Layer, Layers, Source, Strictness, Value};
use flumen_model::{ConfigurationValue, FlinkMinor};

fn layers() -> Layers {
    Layers::new(FlinkMinor::new(1, 20))
}

fn tree(json: &str) -> BTreeMap<String, ConfigurationValue> {
    serde_json::from_str(json).expect("a configuration")
}

#[test]
fn the_higher_layer_counts_and_the_lower_ones_are_remembered() {
    let mut layers = layers();
    layers.add(Layer::Run, [("parallelism.default", 3)]);
    layers.add(Layer::Platform, [("parallelism.default", 1), ("rest.port", 8082)]);
    layers.add(Layer::Job, [("parallelism.default", 2)]);
    let effective = layers.resolve();
    let entry = effective.entry("parallelism.default").expect("set");
    assert_eq!((entry.layer, &entry.value), (Layer::Run, &Value::Integer(3)));
    let history: Vec<_> =
        entry.overridden.iter().map(|old| (old.layer, old.value.clone())).collect();
    assert_eq!(history, [(Layer::Platform, Value::Integer(1)), (Layer::Job, Value::Integer(2))]);
    assert_eq!(effective.entry("rest.port").map(|entry| entry.layer), Some(Layer::Platform));
}

#[test]
fn an_old_name_in_a_job_overrides_the_new_name_in_its_environment() {
    let mut layers = layers();
    layers.add(Layer::Environment, [("high-availability.type", "NONE")]);
    layers.add(Layer::Job, [("high-availability", "kubernetes")]);
    let configuration = layers.resolve().configuration();
    assert_eq!(configuration.string("high-availability.type"), Ok(Some("kubernetes".to_owned())));
    assert_eq!(configuration.len(), 1);
}

#[test]
fn a_general_key_does_not_override_a_special_one_of_a_lower_layer() {
    let mut layers = layers();
    layers.add(Layer::Environment, [("kubernetes.jobmanager.service-account", "flink-jm")]);
    layers.add(Layer::Job, [("kubernetes.service-account", "flink")]);
    let configuration = layers.resolve().configuration();
    let account = |role| configuration.string(&format!("kubernetes.{role}.service-account"));
    assert_eq!(account("jobmanager"), Ok(Some("flink-jm".to_owned())));
    assert_eq!(account("taskmanager"), Ok(Some("flink".to_owned())));
}

#[test]
fn entries_of_a_map_join_the_map_of_a_lower_layer() {
    let mut layers = layers();
    layers.add(Layer::Environment, [("kubernetes.jobmanager.labels", "team:a,tier:1")]);
    layers.add(Layer::Job, [("kubernetes.jobmanager.labels.tier", "2")]);
    let effective = layers.resolve();
    let labels =
        effective.configuration().map("kubernetes.jobmanager.labels").expect("a map").expect("set");
    assert_eq!(labels, BTreeMap::from([("team".into(), "a".into()), ("tier".into(), "2".into())]));
    let entry = effective.entry("kubernetes.jobmanager.labels").expect("set");
    assert_eq!((entry.layer, entry.overridden[0].layer), (Layer::Job, Layer::Environment));

    let mut layers = self::layers();
    layers.add(Layer::Environment, [("kubernetes.jobmanager.labels.tier", "1")]);
    layers.add(Layer::Job, [("kubernetes.jobmanager.labels", "team:a")]);
    let labels = layers.resolve().configuration().map("kubernetes.jobmanager.labels");
    assert_eq!(labels, Ok(Some(BTreeMap::from([("team".into(), "a".into())]))));
}

#[test]
fn files_may_nest_their_keys() {
    let mut layers = layers();
    layers
        .add_file(
            Layer::Job,
            &tree(
                r#"{"taskmanager": {"memory.process.size": "2g", "numberOfTaskSlots": 2},
                    "kubernetes": {"jobmanager": {"labels": {"app.kubernetes.io": {"name": "x"}, "n": 1},
                                                  "tolerations": [{"key": "k", "operator": "Exists"}]}},
                    "pipeline.jars": ["a", "b"]}"#,
            ),
        )
        .expect("valid");
    let configuration = layers.resolve().configuration();
    assert_eq!(configuration.get("taskmanager.numberOfTaskSlots"), Some(&Value::Integer(2)));
    assert_eq!(
        configuration.get("pipeline.jars"),
        Some(&Value::List(vec!["a".into(), "b".into()]))
    );
    let labels = configuration.map("kubernetes.jobmanager.labels").expect("a map").expect("set");
    assert_eq!(labels["app.kubernetes.io.name"], "x");
    let tolerations =
        configuration.list_of_maps("kubernetes.jobmanager.tolerations").expect("a list");
    assert_eq!(tolerations.expect("set")[0]["operator"], "Exists");
}

#[test]
fn a_key_that_is_nested_and_dotted_is_refused_by_name() {
    let mut layers = layers();
    let error = layers.add_file(Layer::Job, &tree(r#"{"rest": {"port": 1}, "rest.port": 2}"#));
    assert_eq!(error, Err(Error::DuplicateKey { key: "rest.port".into() }));
    let error = layers
        .add_file(Layer::Job, &tree(r#"{"pipeline.jars": [["a"]]}"#))
        .expect_err("a list in a list");
    assert!(error.to_string().contains("pipeline.jars"), "{error}");
}

#[test]
fn an_explanation_has_the_source_and_hides_secrets() {
    let mut layers = layers();
    layers.add(Layer::Cluster, [("s3.secret-key", "hunter2"), ("state.backend", "rocksdb")]);
    layers.add(Layer::Team, [("kubernetes.jobmanager.labels.team", "a")]);
    let effective = layers.resolve();
    let explain = |key| {
        let explanation = effective.explain(key);
        (explanation.value.unwrap_or_default(), explanation.source)
    };
    assert_eq!(explain("s3.secret-key"), ("******".into(), Source::Layer(Layer::Cluster)));
    assert_eq!(explain("state.backend.type"), ("rocksdb".into(), Source::Layer(Layer::Cluster)));
    assert_eq!(
        explain("kubernetes.jobmanager.labels"),
        ("{team: a}".into(), Source::Layer(Layer::Team))
    );
    assert_eq!(explain("rest.port"), ("8081".into(), Source::Default));
    assert_eq!(explain("jobmanager.memory.process.size"), (String::new(), Source::Unset));
}

#[test]
fn every_wrong_value_is_reported_with_its_layer() {
    let mut layers = layers();
    layers.add(Layer::Environment, [("rest.port", "http")]);
    layers.add(
        Layer::Job,
        [("taskmanager.memory.process.size", "2 gigs"), ("parallelism.default", "4")],
    );
    let effective = layers.resolve();
    let error = effective.checked(Strictness::JobFile).expect_err("two wrong values");
    insta::assert_snapshot!(error.to_string());
    let (_, warnings) = effective.checked(Strictness::DropIn).expect("a drop-in passes them on");
    assert_eq!(warnings.len(), 2);
}
