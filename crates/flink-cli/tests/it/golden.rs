//! Every recorded run of a real client, done again by the drop-in: the same arguments, configuration,
//! environment and files, and then the same objects in the cluster.

use flumen_flink_cli::Program;
use flumen_model::FlinkMinor;
use serde_json::Value;

use crate::{
    case::{Case, Expected},
    compare::{comparable, differences, lost_values},
    drop_in::{DropIn, Outcome},
    kubernetes::Kubernetes,
};

const LOGGING: [&str; 7] = [
    "log4j.properties",
    "log4j-cli.properties",
    "log4j-console.properties",
    "log4j-session.properties",
    "logback.xml",
    "logback-console.xml",
    "logback-session.xml",
];

fn prepare(case: &Case, kubernetes: &Kubernetes) -> DropIn {
    let mut drop_in = DropIn::bare(&case.version.to_string(), kubernetes);
    let here = drop_in.path().display().to_string();
    for (name, text) in &case.files {
        drop_in.write(name, text);
    }
    let minor = case.version.minor();
    for name in LOGGING {
        drop_in.write(&format!("conf/{name}"), "# logging\n");
    }
    let file = if minor < FlinkMinor::new(1, 19) { "flink-conf.yaml" } else { "config.yaml" };
    let lines: Vec<_> = case.conf.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    drop_in.write(&format!("conf/{file}"), &(lines.join("\n") + "\n"));
    for (name, value) in &case.env {
        drop_in.set(name, &value.replace("{dir}", &here));
    }
    drop_in
}

fn do_again(case: &Case, kubernetes: &Kubernetes) -> (Outcome, Vec<Value>) {
    let drop_in = prepare(case, kubernetes);
    let here = drop_in.path().display().to_string();
    let given: Vec<_> = case.args.iter().map(|arg| arg.replace("{dir}", &here)).collect();
    let mut arguments: Vec<&str> = given.iter().map(String::as_str).collect();
    let outcome = if case.mode == "session" {
        drop_in.run(Program::KubernetesSession, &arguments)
    } else {
        let is_new = case.version.minor() >= FlinkMinor::new(2, 0);
        let action = if is_new { "run" } else { "run-application" };
        arguments.splice(0..0, [action, "-t", "kubernetes-application"]);
        drop_in.run(Program::Flink, &arguments)
    };
    let objects: Vec<_> = kubernetes.objects().into_iter().map(comparable).collect();
    let text = Value::Array(objects).to_string().replace(&here, "{dir}");
    (outcome, serde_json::from_str(&text).expect("still JSON"))
}

/// What is wrong with what the drop-in did for one case.
fn problems(case: &Case) -> Vec<String> {
    let kubernetes = Kubernetes::start();
    let (outcome, objects) = do_again(case, &kubernetes);
    let said = format!("{}{}", outcome.out, outcome.notes);
    match case.expected() {
        Expected::Refusal => {
            let mut problems = Vec::new();
            if outcome.code == 0 {
                problems.push(format!("accepted, but Flink says {:?}", case.error));
            }
            if said.trim().is_empty() {
                problems.push("refused without a word".to_owned());
            }
            problems.extend(kubernetes.names().into_iter().map(|name| format!("left {name}")));
            problems
        }
        _ if outcome.code != 0 => vec![format!("status {}: {said}", outcome.code)],
        Expected::Acceptance => lost_values(case, &objects),
        Expected::SameObjects => differences(case, with_recorded_id(case, objects)),
    }
}

/// Where the client makes an id up, the recording has `<id>`.
fn with_recorded_id(case: &Case, objects: Vec<Value>) -> Vec<Value> {
    if case.given().contains_key("kubernetes.cluster-id") {
        return objects;
    }
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment");
    let id = deployment.and_then(|it| it["metadata"]["name"].as_str()).expect("a name").to_owned();
    let text = Value::Array(objects).to_string().replace(&id, "<id>");
    serde_json::from_str(&text).expect("still JSON")
}

fn check(version: &str, recordings: &str, expected: usize) {
    let case = |line: &str| -> Case { serde_json::from_str(line).expect("a recorded case") };
    let cases: Vec<Case> = recordings.lines().map(case).collect();
    assert_eq!(cases.len(), expected, "recorded cases of {version}");
    let failures: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            let id = &case.id;
            problems(case).into_iter().map(move |problem| format!("{id}: {problem}"))
        })
        .collect();
    assert!(failures.is_empty(), "{version}:\n{}", failures.join("\n"));
}

macro_rules! recorded {
    ($name:ident, $version:literal, $cases:literal) => {
        #[test]
        fn $name() {
            let recordings =
                include_str!(concat!("../../../flink-manifest/tests/golden/", $version, ".jsonl"));
            check($version, recordings, $cases);
        }
    };
}

recorded!(the_drop_in_for_1_13_does_what_its_client_did, "1.13.6", 45);
recorded!(the_drop_in_for_1_17_does_what_its_client_did, "1.17.2", 51);
recorded!(the_drop_in_for_1_20_does_what_its_client_did, "1.20.5", 52);
recorded!(the_drop_in_for_2_3_does_what_its_client_did, "2.3.0", 51);
