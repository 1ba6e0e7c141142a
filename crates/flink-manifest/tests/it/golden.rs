use flumen_flink_manifest::render;
use serde_json::Value;

use crate::{
    case::{Case, made_up_id},
    compare::{differences, lost_values},
    stored::stored,
};

fn cases(recordings: &str) -> Vec<Case> {
    let case = |line: &str| serde_json::from_str(line).expect("a recorded case");
    recordings.lines().map(case).collect()
}

/// What is wrong with what is rendered for one case.
fn problems(case: &Case) -> Vec<String> {
    let rendered = render(&case.spec());
    if case.fails_by_its_own_fault() {
        return match rendered {
            Ok(manifests) => lost_values(case, &stored(manifests)),
            Err(error) => vec![format!("refused, though the input is legal: {error}")],
        };
    }
    match rendered {
        Ok(_) if case.refused => vec![format!("accepted, but Flink says {:?}", case.error)],
        Err(_) if case.refused => Vec::new(),
        Err(error) => vec![format!("refused: {error}")],
        Ok(manifests) => differences(case, without_made_up_id(stored(manifests))),
    }
}

fn without_made_up_id(objects: Vec<Value>) -> Vec<Value> {
    let text = Value::Array(objects).to_string().replace(&made_up_id(), "<id>");
    serde_json::from_str(&text).expect("still JSON")
}

fn check(version: &str, recordings: &str, expected: usize) {
    let cases = cases(recordings);
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

#[test]
fn the_objects_of_1_13_are_those_of_its_client() {
    check("1.13.6", include_str!("../golden/1.13.6.jsonl"), 45);
}

#[test]
fn the_objects_of_1_17_are_those_of_its_client() {
    check("1.17.2", include_str!("../golden/1.17.2.jsonl"), 51);
}

#[test]
fn the_objects_of_1_20_are_those_of_its_client() {
    check("1.20.5", include_str!("../golden/1.20.5.jsonl"), 52);
}

#[test]
fn the_objects_of_2_3_are_those_of_its_client() {
    check("2.3.0", include_str!("../golden/2.3.0.jsonl"), 51);
}
