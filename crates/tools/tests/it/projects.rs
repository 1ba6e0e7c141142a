//! The schema of the files of projects, and the file that docs/projects.md shows.

use flumen_model::ProjectSpec;
use serde_json::{Value, json};

use crate::printed;

fn validator() -> jsonschema::Validator {
    let schema = serde_json::from_str(&printed(&["schema", "project"])).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// Whether what takes the file takes this one.
fn is_taken(file: &Value) -> bool {
    serde_json::from_value::<ProjectSpec>(file.clone()).is_ok_and(|spec| spec.check().is_ok())
}

/// The files that the page shows: what is about a job has no name.
fn shown() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/projects.md");
    let text = std::fs::read_to_string(path).expect("the page");
    let files =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(rest));
    let files = files.map(|text| serde_saphyr::from_str::<Value>(text).expect("YAML"));
    files.filter(|file| file.get("name").is_some()).collect()
}

#[test]
fn the_file_that_the_docs_show_is_valid_and_taken() {
    let (validator, files) = (validator(), shown());
    assert_eq!(files.len(), 1);
    for file in files {
        let errors: Vec<String> =
            validator.iter_errors(&file).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {file}");
        assert!(is_taken(&file), "{file}");
    }
}

#[test]
fn files_that_are_refused_for_their_form_are_not_valid() {
    let validator = validator();
    for (key, value, valid) in [
        ("tasks", json!(["shadowJar"]), true),
        ("settings", json!({"configMap": "mirror"}), true),
        ("cache", json!({"hostPath": "/var/cache/maven"}), true),
        ("resources", json!({"cpu": 0.5, "memory": "1g"}), true),
        ("settings", json!({"configMap": "a", "secret": "b"}), false),
        ("settings", json!({}), false),
        ("cache", json!({"volume": "a"}), false),
        ("resources", json!({"cpu": 0}), false),
        ("resources", json!({"cores": 1}), false),
        ("builder", json!("ant"), false),
        ("name", json!("Orders"), false),
        ("credentials", json!("No_Name"), false),
        ("goals", json!([""]), false),
        ("password", json!("x"), false),
    ] {
        let mut file = json!({
            "name": "orders", "environment": "prod", "repository": "https://h/a.git", "builder": "maven",
        });
        file[key] = value.clone();
        assert_eq!(validator.is_valid(&file), valid, "{key}: {value}");
        assert_eq!(is_taken(&file), valid, "{key}: {value}");
    }
}
