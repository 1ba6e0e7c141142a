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

fn wanted() -> Explanation {
    Explanation {
        runner: runner(),
        jars: vec!["kafka 1.jar".into()],
        file: "statements".into(),
        statements: "flumen-sql 1 0\n".into(),
        seconds: 120,
    }
}

fn explained(version: &str, more: &Value) -> ExplanationObjects {
    explanation(&plan(version, more), &wanted()).expect("objects")
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
    let pod = serde_json::to_value(&found.pod).expect("JSON");
    let labels = json!({
        "app": "sql-check-0123456789ab",
        "app.kubernetes.io/managed-by": "flumen",
        "cost": "data",
        "flumen.dev/environment": "local",
        "flumen.dev/sql-check": "sql-check-0123456789ab",
    });
    assert_eq!(pod["metadata"]["labels"], labels, "no label by which Flink's own pods are found");
    let spec = &pod["spec"];
    assert_eq!(spec["restartPolicy"], "Never");
    assert_eq!(spec["activeDeadlineSeconds"], 120);
    assert_eq!(spec["serviceAccountName"], "flink");
    assert_eq!(spec["imagePullSecrets"], json!([{ "name": "registry-key" }]));
    assert_eq!(spec["securityContext"], json!({ "runAsNonRoot": true }));
    assert_eq!(spec["containers"][1]["name"], "proxy");
    let main = &spec["containers"][0];
    assert_eq!(main["name"], found.container);
    assert_eq!(main["image"], "registry/sql@sha256:1");
    assert_eq!(main["command"], json!(["/docker-entrypoint.sh"]));
    let arguments = json!([
        "flink",
        "run",
        "-t",
        "local",
        "-C",
        "file:///opt/flink/usrlib/kafka%201.jar",
        "-c",
        "flumen.sql.SqlRunner",
        "/opt/flink/usrlib/runner.jar",
        "--explain",
        "--json",
        "/opt/flink/conf/statements",
    ]);
    assert_eq!(main["args"], arguments);
    assert_eq!(main["resources"]["limits"], json!({ "cpu": "1.0", "memory": "1600Mi" }));
    for absent in ["livenessProbe", "ports"] {
        assert_eq!(main[absent], Value::Null, "{absent} is for a JobManager");
    }
    let mounts: Vec<&str> = main["volumeMounts"]
        .as_array()
        .expect("mounts")
        .iter()
        .filter_map(|mount| mount["mountPath"].as_str())
        .collect();
    let expected = ["/flumen/storage", "/opt/flink/artifacts", "/opt/flink/conf"];
    assert_eq!(mounts, expected, "nothing for TaskManagers");
}

#[test]
fn functions_in_python_are_called_by_flinks_own_jar() {
    let mut plan = plan("1.20.5", &json!({}));
    let Mode::Application(application) = &mut plan.spec.mode else { panic!("no application") };
    application.class_paths = vec!["file:///opt/flink/opt/flink-python-1.20.5.jar".into()];
    let found = explanation(&plan, &wanted()).expect("objects");
    let main = found.pod.spec.expect("a pod").containers.remove(0);
    let expected = [
        "-C",
        "file:///opt/flink/opt/flink-python-1.20.5.jar",
        "-C",
        "file:///opt/flink/usrlib/kafka%201.jar",
    ];
    assert_eq!(main.args.expect("arguments")[4..8], expected);
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
