use std::{
    fs,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::fake::{Answer, Fake, done, ended, misused, run};

fn cluster() -> Value {
    json!({
        "name": "eu-1", "version": 1, "access": "kubeconfig", "kubeconfig": "", "context": "eu",
        "url": "https://k8s.example.com:6443/", "credentials": "token",
        "account": "system:serviceaccount:flumen:flumen", "expiresAt": "2027-01-15T08:00:00Z",
        "privateAuthority": true, "environments": ["prod"], "reachable": true,
        "kubernetesVersion": "v1.34.4",
    })
}

/// A kubeconfig beside the files that it names.
fn kubeconfig(directory: &tempfile::TempDir) -> String {
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "us",
        "contexts": [
            {"name": "eu", "context": {"cluster": "c", "user": "u"}},
            {"name": "us", "context": {"cluster": "c", "user": "other"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": "https://k8s.example.com:6443", "insecure-skip-tls-verify": true}}],
        "users": [
            {"name": "u", "user": {"tokenFile": "token"}},
            {"name": "other", "user": {"token": "of-another"}},
        ],
    });
    fs::write(directory.path().join("token"), "hunter2\n").expect("written");
    let path = directory.path().join("config");
    fs::write(&path, text.to_string()).expect("written");
    path.display().to_string()
}

#[test]
fn one_context_is_sent_with_what_its_files_hold() {
    let sent = Arc::new(Mutex::new(Value::Null));
    let kept = Arc::clone(&sent);
    let take = move |Json(body): Json<Value>| async move {
        *kept.lock().expect("no panic") = body;
        (StatusCode::CREATED, Json(cluster()))
    };
    let fake = Fake::serve(Router::new().route("/api/v1/clusters", post(take)));
    let directory = tempfile::tempdir().expect("a directory");
    let file = kubeconfig(&directory);
    let Answer { code, output, errors } =
        fake.run(&["cluster", "add", "eu-1", "--kubeconfig", &file, "--context", "eu"]);
    assert_eq!(code, done(), "{errors}");
    assert_eq!(
        output,
        "The cluster eu-1 is added. It answers as Kubernetes v1.34.4 at https://k8s.example.com:6443/.\n\
         See what it lacks with: flumen cluster check eu-1\n"
    );
    assert!(errors.contains("The certificate of the API server is not checked"), "{errors}");
    assert!(errors.contains("was read from") && errors.contains("/token once"), "{errors}");
    assert!(!format!("{output}{errors}").contains("hunter2"));
    let sent = sent.lock().expect("no panic").clone();
    let text = sent["kubeconfig"].as_str().expect("a text");
    assert!(text.contains("\"token\":\"hunter2\"") && !text.contains("of-another"), "{text}");
}

#[test]
fn a_kubeconfig_that_cannot_be_sent_is_refused_before_anything_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = kubeconfig(&directory);
    let add = |file: &str, context: &str| {
        let line = ["cluster", "add", "eu-1", "--kubeconfig", file, "--context", context];
        let Answer { code, errors, .. } = run("http://127.0.0.1:1", &line);
        (code, errors)
    };
    let (code, errors) = add(&file, "asia");
    assert_eq!(code, ended(2));
    assert!(errors.contains("has no context \"asia\"; it has eu, us"), "{errors}");
    assert!(errors.contains("--context"), "{errors}");
    fs::remove_file(directory.path().join("token")).expect("removed");
    let (code, errors) = add(&file, "eu");
    assert_eq!(code, ended(3));
    assert!(errors.contains("could not read") && errors.contains("as tokenFile"), "{errors}");
    let (code, errors) = add("/nowhere/config", "eu");
    assert_eq!(code, ended(3));
    assert!(errors.contains("could not read the kubeconfig /nowhere/config"), "{errors}");
    for line in [
        &["cluster", "add", "eu-1"][..],
        &["cluster", "add", "eu-1", "--in-cluster", "--context", "eu"],
        &["cluster", "add", "eu-1", "--in-cluster", "--kubeconfig", "config"],
        &["cluster", "rbac"],
        &["cluster", "check", "eu-1", "--service-account", "f"],
    ] {
        assert!(misused(line).contains("Usage:"), "{line:?}");
    }
}

#[test]
fn a_cluster_is_shown_with_how_it_is_reached() {
    let fake = Fake::serve(
        Router::new().route("/api/v1/clusters/eu-1", get(|| async { Json(cluster()) })),
    );
    let Answer { code, output, .. } = fake.run(&["cluster", "show", "eu-1"]);
    assert_eq!(code, done());
    insta::assert_snapshot!(output);
}

#[test]
fn a_check_says_of_each_thing_what_was_seen_and_fails_if_one_does() {
    let checks = json!([
        {"name": "reachable", "outcome": "ok", "detail": "it answers as Kubernetes v1.34.4"},
        {"name": "rights in flink", "outcome": "fail", "detail": "Flumen's account may not watch pods",
         "remedy": "have someone who may run: flumen cluster rbac eu-1 --namespace flink | kubectl apply -f -"},
    ]);
    let asked = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&asked);
    let check = move |request: axum::extract::Request| async move {
        *kept.lock().expect("no panic") = request.uri().query().unwrap_or_default().to_owned();
        Json(json!({"cluster": cluster(), "checks": checks}))
    };
    let fake = Fake::serve(Router::new().route("/api/v1/clusters/eu-1/check", get(check)));
    let Answer { code, output, errors } =
        fake.run(&["cluster", "check", "eu-1", "--namespace", "flink", "--service-account", "f"]);
    assert_eq!(code, ended(1));
    assert_eq!(*asked.lock().expect("no panic"), "namespace=flink&serviceAccount=f");
    insta::assert_snapshot!(format!("{output}{errors}"));
}

#[test]
fn the_rights_are_printed_for_the_environments_of_a_cluster_or_without_a_server() {
    let line = ["cluster", "rbac", "--namespace", "flink", "--service-account", "flink"];
    let Answer { code, output, errors } = run("http://127.0.0.1:1", &line);
    assert_eq!((code, errors.as_str()), (done(), ""));
    let parts: Vec<_> = output.lines().filter(|line| line.starts_with("kind:")).collect();
    let expected = [
        "Namespace",
        "Namespace",
        "ServiceAccount",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "Role",
        "RoleBinding",
    ];
    assert_eq!(parts, expected.map(|kind| format!("kind: {kind}")));
    assert!(!output.contains("verbs: [get, update]"), "{output}");
    let line = [&line[..], &["--host-network"]].concat();
    let Answer { output, .. } = run("http://127.0.0.1:1", &line);
    assert!(output.contains("resources: [services]\n  verbs: [get, update]"), "{output}");

    let needs =
        |namespaces: Value| get(move || async move { Json(json!({"namespaces": namespaces})) });
    let routes = Router::new()
        .route("/api/v1/clusters/eu-1/needs", needs(json!([
            {"namespace": "flink", "serviceAccounts": ["dev-account", "prod-account"], "hostNetwork": true},
        ])))
        .route("/api/v1/clusters/asia-1/needs", needs(json!([])))
        .route("/api/v1/clusters/eu-1", get(|| async { Json(cluster()) }));
    let fake = Fake::serve(routes);
    let Answer { code, output, errors } =
        fake.run(&["cluster", "rbac", "eu-1", "--user", "ann", "--output", "json"]);
    assert_eq!((code, errors.as_str()), (done(), ""));
    let list: Value = serde_json::from_str(&output).expect("JSON");
    let items = list["items"].as_array().expect("a list").clone();
    let of =
        |kind: &str| -> Vec<&Value> { items.iter().filter(|one| one["kind"] == kind).collect() };
    assert_eq!(of("Namespace").len(), 1, "{output}");
    let accounts = of("ServiceAccount");
    let accounts: Vec<_> = accounts.iter().map(|one| &one["metadata"]["name"]).collect();
    assert_eq!(accounts, ["dev-account", "prod-account"]);
    assert_eq!(of("RoleBinding")[0]["subjects"][0]["name"], "ann");
    assert!(output.contains("\"services\""), "some have the network of the host: {output}");

    // What is named comes to what is known.
    let line =
        "cluster rbac eu-1 --user ann --namespace flink --service-account other --output json";
    let Answer { output, .. } = fake.run(&line.split(' ').collect::<Vec<_>>());
    for account in ["dev-account", "prod-account", "other"] {
        assert!(output.contains(account), "{account}: {output}");
    }

    // Without a name it is whom the cluster's credentials name.
    let Answer { code, output, errors } = fake.run(&["cluster", "rbac", "eu-1"]);
    assert_eq!((code, errors.as_str()), (done(), ""));
    assert!(
        output.contains("- kind: ServiceAccount\n  name: flumen\n  namespace: flumen"),
        "{output}"
    );

    let Answer { code, errors, .. } = fake.run(&["cluster", "rbac", "asia-1"]);
    assert_eq!(code, ended(2));
    assert!(errors.contains("no environment is in the cluster asia-1"), "{errors}");
}
