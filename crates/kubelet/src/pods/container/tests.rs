use serde_json::{Value, json};

use super::*;

const IDS: IdMap = IdMap { host: 1_000_000, size: 65_536 };

fn image() -> Image {
    Image {
        id: "i".into(),
        layers: vec![],
        run: RunConfiguration {
            environment: vec![("PATH".into(), "/bin".into()), ("A".into(), "image".into())],
            entrypoint: vec!["/entry".into()],
            command: vec!["default".into()],
            user: "flink".into(),
            ..RunConfiguration::default()
        },
        size_bytes: 0,
    }
}

fn with<T>(container: &Value, security: &Value, check: impl FnOnce(&Context<'_>) -> T) -> T {
    let mut container = container.clone();
    container["name"] = json!("main");
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "p"}, "spec": {"containers": [container], "securityContext": security}}))
    .unwrap();
    let variables = BTreeMap::from([("A".to_owned(), "spec".to_owned())]);
    let container = &pod.spec.as_ref().unwrap().containers[0];
    check(&Context { pod: &pod, container, image: &image(), variables: &variables, ids: IDS })
}

#[test]
fn command_and_arguments_follow_the_table_of_kubernetes() {
    for (container, expected) in [
        (json!({}), &["/entry", "default"][..]),
        (json!({"args": ["x", "$(A)"]}), &["/entry", "x", "spec"]),
        (json!({"command": ["/own"]}), &["/own"]),
        (json!({"command": ["/own", "$(A)$$(A)"], "args": ["y"]}), &["/own", "spec$(A)", "y"]),
    ] {
        let command =
            with(&container, &json!(null), |context| context.command(&context.image.run).unwrap());
        assert_eq!(command, expected, "{container}");
    }
}

#[test]
fn variables_of_the_specification_win_over_those_of_the_image() {
    let environment =
        with(&json!({}), &json!(null), |context| context.environment(&context.image.run));
    let expected = [("A", "spec"), ("HOSTNAME", "p"), ("PATH", "/bin")];
    assert_eq!(environment, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn the_container_decides_over_the_pod_and_the_pod_over_the_image() {
    let user = |container: &Value, pod: &Value| {
        with(container, pod, |context| {
            context.user(&context.image.run).map_err(|error| error.to_string())
        })
    };
    assert_eq!(user(&json!({}), &json!(null)), Ok(("flink".into(), None)));
    assert_eq!(
        user(&json!({}), &json!({"runAsUser": 7, "runAsGroup": 8})),
        Ok(("7".into(), Some(8)))
    );
    assert_eq!(
        user(&json!({"securityContext": {"runAsUser": 9}}), &json!({"runAsUser": 7})),
        Ok(("9".into(), None))
    );
    let refused = user(&json!({}), &json!({"runAsNonRoot": true})).unwrap_err();
    assert!(refused.contains("non-numeric user (flink)"), "{refused}");
    let refused = user(&json!({}), &json!({"runAsNonRoot": true, "runAsUser": 0})).unwrap_err();
    assert!(refused.contains("will run as root"), "{refused}");
    let refused = user(&json!({}), &json!({"runAsUser": 100_000})).unwrap_err();
    assert!(refused.contains("100000") && refused.contains("65536"), "{refused}");
}

#[test]
fn capabilities_are_added_and_dropped_by_name() {
    let kept = |wanted: Value| {
        with(&json!({"securityContext": {"capabilities": wanted}}), &json!(null), |context| {
            context.capabilities().map_err(|error| error.to_string())
        })
    };
    assert_eq!(kept(json!({"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]})), Ok(vec![10]));
    assert_eq!(kept(json!({"add": ["cap_sys_ptrace"]})).unwrap().len(), 15);
    assert!(kept(json!({"add": ["FLY"]})).unwrap_err().contains("FLY"));
}
