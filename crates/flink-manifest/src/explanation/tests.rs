use flumen_flink_conf::{Layer, Layers};
use flumen_model::{FlinkMinor, JobSpec, RunId};
use serde_json::{Value, json};

use super::*;
use crate::{
    Fetched, JobDeployment, Restore, RunPlace, Storage, StorageVolume, VolumeSource, job_deployment,
};

fn plan(version: &str, more: &Value) -> JobPlan {
    let mut spec = json!({
        "name": "sql-check", "environment": "local", "flinkVersion": version, "kind": "sql", "artifact": "orders.sql",
    });
    for (key, value) in more.as_object().expect("a map") {
        spec[key] = value.clone();
    }
    let spec: JobSpec = serde_json::from_value(spec).expect("a job");
    let mut layers = Layers::new(spec.flink_version.minor());
    layers.add_file(Layer::Job, &spec.configuration).expect("a configuration");
    let volume = StorageVolume {
        source: VolumeSource::HostPath("/var/lib/flumen/storage".into()),
        mount_path: "/flumen/storage".into(),
    };
    let place = RunPlace {
        run: RunId::from_bits(1),
        cluster_id: "sql-check-0123456789ab".parse().expect("an id"),
        namespace: "default".parse().expect("a namespace"),
        image: "registry/sql@sha256:1".into(),
        program: runner(),
        layers,
        fetched: Fetched::default(),
        storage: Storage::under("file:///flumen/storage", Some(volume)),
        restore: Restore::default(),
    };
    job_deployment(&JobDeployment::new(&spec, place)).expect("a plan")
}

fn runner() -> Program {
    Program::of_file("runner.jar", "flumen.sql.SqlRunner", "statements", Vec::new())
}

fn explained(version: &str, more: &Value) -> ExplanationObjects {
    let wanted = Explanation {
        runner: runner(),
        jars: vec!["kafka 1.jar".into()],
        file: "statements".into(),
        statements: "flumen-sql 1 0\n".into(),
        seconds: 120,
    };
    explanation(&plan(version, more), &wanted).expect("objects")
}

#[test]
fn the_pod_is_that_of_a_job_manager_with_another_command() {
    let found = explained(
        "1.20.5",
        &json!({
            "configuration": {
                "kubernetes.container.image.pull-secrets": "registry-key",
                "kubernetes.jobmanager.service-account": "flink",
                "kubernetes.jobmanager.labels": "cost:data",
            },
            "podTemplates": { "common": { "spec": {
                "securityContext": { "runAsNonRoot": true },
                "containers": [
                    { "name": "flink-main-container", "livenessProbe": { "httpGet": { "port": 8081 } } },
                    { "name": "proxy", "image": "proxy" },
                ],
            }}},
        }),
    );
    insta::assert_snapshot!(serde_saphyr::to_string(&found.pod).expect("YAML"));
}

#[test]
fn the_script_lies_beside_the_configuration_of_flink() {
    let ExplanationObjects { pod, config_map, .. } = explained("2.3.0", &json!({}));
    assert_eq!(config_map.metadata.name, pod.metadata.name);
    assert_eq!(config_map.metadata.labels, pod.metadata.labels);
    let data = config_map.data.expect("files");
    let names: Vec<&str> = data.keys().map(String::as_str).collect();
    let expected =
        ["config.yaml", "log4j-cli.properties", "log4j-console.properties", "statements"];
    assert_eq!(names, expected);
    assert_eq!(data["statements"], "flumen-sql 1 0\n");
}

#[test]
fn every_version_that_runs_scripts_explains_them() {
    for minor in FlinkMinor::SUPPORTED.into_iter().filter(|minor| *minor >= FlinkMinor::new(1, 13))
    {
        let ExplanationObjects { pod, container, .. } =
            explained(&format!("{minor}.0"), &json!({}));
        let spec = pod.spec.expect("a pod");
        let main = &spec.containers[0];
        assert_eq!(main.name, container, "{minor}");
        let arguments = main.args.as_deref().unwrap_or_default();
        assert_eq!(arguments.first().map(String::as_str), Some("flink"), "{minor}");
        let mounted = arguments.last().map(String::as_str);
        assert_eq!(mounted, Some("/opt/flink/conf/statements"), "{minor}");
        assert_eq!(spec.restart_policy.as_deref(), Some("Never"), "{minor}");
    }
}
