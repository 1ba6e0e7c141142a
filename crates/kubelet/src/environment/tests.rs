use serde_json::json;

use super::*;
use crate::directory::{Index, Port, Reach, Service};

fn pod(env: &serde_json::Value, env_from: &serde_json::Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"app": "job", "a/b": "c"}},
        "spec": {"serviceAccountName": "flink", "containers": [{
            "name": "main", "env": env, "envFrom": env_from,
            "resources": {"limits": {"memory": "1.5Gi", "cpu": "1500m"}, "requests": {"memory": "100M"}},
        }]},
    }))
    .unwrap()
}

fn facts() -> Facts {
    Facts {
        pod_ip: "10.244.0.9".into(),
        host_ip: "10.244.0.1".into(),
        node_name: "node".into(),
        allocatable_cpu_millis: 2_000,
        allocatable_memory_bytes: 4 << 30,
    }
}

fn lookups() -> Lookups {
    let values = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    Lookups {
        config_maps: [("settings".to_owned(), values(&[("LEVEL", "info"), ("1bad", "x")]))].into(),
        secrets: [("password".to_owned(), values(&[("value", "s3cret")]))].into(),
    }
}

fn resolved(
    env: &serde_json::Value,
    env_from: &serde_json::Value,
) -> Result<BTreeMap<String, String>, Error> {
    let pod = pod(env, env_from);
    let container = &pod.spec.as_ref().unwrap().containers[0];
    resolve(&pod, container, &lookups(), &facts(), BTreeMap::new())
}

#[test]
fn values_come_from_everywhere() {
    let field = |path: &str| json!({"fieldRef": {"fieldPath": path}});
    let resource = |name: &str, divisor: &str| json!({"resourceFieldRef": {"resource": name, "divisor": divisor}});
    let env = json!([
        {"name": "PLAIN", "value": "a"}, {"name": "NEXT", "value": "$(PLAIN)-$(POD)-$(LEVEL)"},
        {"name": "POD", "valueFrom": field("metadata.name")},
        {"name": "LABEL", "valueFrom": field("metadata.labels['a/b']")},
        {"name": "IP", "valueFrom": field("status.podIP")},
        {"name": "ACCOUNT", "valueFrom": field("spec.serviceAccountName")},
        {"name": "MEMORY", "valueFrom": resource("limits.memory", "1Mi")},
        {"name": "CPU", "valueFrom": resource("limits.cpu", "0")},
        {"name": "REQUEST", "valueFrom": resource("requests.memory", "")},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "password", "key": "value"}}},
        {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "absent", "key": "k", "optional": true}}},
    ]);
    let found = resolved(&env, &json!([{"prefix": "X_", "configMapRef": {"name": "settings"}}, {"configMapRef": {"name": "settings"}}])).unwrap();
    let found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        found,
        [
            ("ACCOUNT", "flink"),
            ("CPU", "2"),
            ("IP", "10.244.0.9"),
            ("LABEL", "c"),
            ("LEVEL", "info"),
            ("MEMORY", "1536"),
            ("NEXT", "a-$(POD)-info"),
            ("PLAIN", "a"),
            ("POD", "p"),
            ("REQUEST", "100000000"),
            ("SECRET", "s3cret"),
            ("X_1bad", "x"),
            ("X_LEVEL", "info"),
        ]
    );
}

#[test]
fn what_is_missing_is_named() {
    let message = |env, from| resolved(&env, &from).unwrap_err().to_string();
    assert_eq!(
        message(json!([]), json!([{"secretRef": {"name": "gone"}}])),
        "secret \"gone\" not found"
    );
    let key = json!([{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "nope"}}}]);
    assert_eq!(message(key, json!([])), "couldn't find key nope in configmap settings");
    let field = json!([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.containers"}}}]);
    assert!(message(field, json!([])).contains("spec.containers"));
}

#[test]
fn services_of_the_namespace_and_the_api_are_told() {
    let service = |last| Service {
        reach: Reach::ClusterIp([10, 96, 0, last].into()),
        publish_not_ready: false,
        ports: vec![Port { name: "rest".into(), number: 8081, protocol: "TCP".into() }],
    };
    let key = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
    let index = Index {
        services: [(key("n", "my-job"), service(5)), (key("other", "x"), service(6))].into(),
        endpoints: BTreeMap::new(),
    };
    let found = service_variables(&index, "n", true, "10.96.0.1:443".parse().unwrap());
    assert_eq!(found["MY_JOB_SERVICE_HOST"], "10.96.0.5");
    assert_eq!(found["MY_JOB_SERVICE_PORT_REST"], "8081");
    assert_eq!(found["MY_JOB_PORT_8081_TCP"], "tcp://10.96.0.5:8081");
    assert_eq!(
        (found["KUBERNETES_SERVICE_HOST"].as_str(), found["KUBERNETES_SERVICE_PORT"].as_str()),
        ("10.96.0.1", "443")
    );
    assert!(!found.contains_key("X_SERVICE_HOST"));
    let found = service_variables(&index, "n", false, "10.96.0.1:443".parse().unwrap());
    assert!(!found.contains_key("MY_JOB_SERVICE_HOST") && found.contains_key("KUBERNETES_PORT"));
}
