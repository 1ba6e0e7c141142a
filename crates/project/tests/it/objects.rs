use flumen_project::{Build, config_map, needed_keys, pod, settings_keys};

use crate::{OPERATION, spec};

const PLAIN: &str = r#"{"name":"orders","environment":"local","repository":"https://git.example/orders.git","builder":"maven"}"#;
const FULL: &str = r#"{
    "name":"orders","environment":"prod","repository":"git@git.example:team/orders.git","ref":"v1.4.0",
    "directory":"jobs/orders","builder":"gradle","tasks":["shadowJar","-Pwho=$(HOME) and `id`"],
    "image":"gradle:8-jdk17","artifact":"build/libs/*-all.jar","resources":{"cpu":0.5,"memory":"1g"},"timeout":"10m",
    "credentials":"git-key","settings":{"secret":"mirror"},"cache":{"claim":"gradle-cache"}
}"#;

fn yaml(text: &str, name: &str) {
    let (spec, namespace) = (spec(text), "jobs".parse().unwrap());
    let image = spec.image.as_deref().unwrap_or("registry:5000/flink@sha256:00");
    let build =
        Build { operation: OPERATION.parse().unwrap(), spec: &spec, image, namespace: &namespace };
    insta::assert_yaml_snapshot!(name, pod(&build));
}

#[test]
fn the_pod_of_a_project_that_says_little() {
    yaml(PLAIN, "plain");
}

#[test]
fn the_pod_of_a_project_that_says_all() {
    yaml(FULL, "full");
}

#[test]
fn what_a_user_wrote_is_in_no_script() {
    let (spec, namespace) = (spec(FULL), "jobs".parse().unwrap());
    let build = Build {
        operation: OPERATION.parse().unwrap(),
        spec: &spec,
        image: "x",
        namespace: &namespace,
    };
    let scripts = config_map(&build).data.unwrap();
    assert!(scripts.contains_key("HandOver.java") && scripts.contains_key("passwd"));
    for (name, text) in scripts {
        for word in ["git.example", "shadowJar", "v1.4.0", "jobs/orders"] {
            assert!(!text.contains(word), "{word} in {name}");
        }
    }
}

#[test]
fn the_entries_that_must_be_there_follow_from_the_repository_and_the_builder() {
    let (plain, full) = (spec(PLAIN), spec(FULL));
    assert_eq!((needed_keys(&plain), settings_keys(&plain)), (&[][..], None));
    assert_eq!(needed_keys(&full), ["ssh-privatekey", "known_hosts"]);
    let (_, keys) = settings_keys(&full).unwrap();
    assert!(keys.contains(&"init.gradle"), "{keys:?}");
    let by_web = FULL.replace("git@git.example:team", "https://git.example/team");
    assert_eq!(needed_keys(&spec(&by_web)), ["username", "password"]);
}
