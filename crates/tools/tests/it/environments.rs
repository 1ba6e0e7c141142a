//! The schema of the files of environments, and the files that docs/environments.md shows.

use flumen_api_types::EnvironmentSpec;
use serde_json::{Value, json};

use crate::printed;

fn validator() -> jsonschema::Validator {
    let schema = serde_json::from_str(&printed(&["schema", "environment"])).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// Whether what takes the file takes this one.
fn is_taken(file: &Value) -> bool {
    let spec = serde_json::from_value::<EnvironmentSpec>(file.clone());
    spec.is_ok_and(|spec| serde_json::to_value(&spec.storage).is_ok())
}

fn shown() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/environments.md");
    let text = std::fs::read_to_string(path).expect("the page");
    let files =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(rest));
    files.map(|text| serde_saphyr::from_str(text).expect("YAML")).collect()
}

#[test]
fn the_files_that_the_docs_show_are_valid_and_taken() {
    let (validator, files) = (validator(), shown());
    assert!(files.len() >= 4);
    for file in files {
        let errors: Vec<String> =
            validator.iter_errors(&file).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {file}");
        assert!(is_taken(&file), "{file}");
    }
}

#[test]
fn storages_that_are_refused_for_their_form_are_not_valid() {
    let validator = validator();
    for (storage, valid) in [
        (json!({"kind": "s3", "place": "s3://flink"}), true),
        (json!({"kind": "s3", "place": "s3://flink/a..b/.c"}), true),
        (
            json!({"kind": "s3", "place": "s3://flink/a", "plugin": "hadoop", "readable": false}),
            true,
        ),
        (json!({"kind": "file", "place": "/mnt/flink"}), true),
        (json!({"kind": "s3", "place": "s3://flink/../a"}), false),
        (json!({"kind": "s3", "place": "s3://flink//a"}), false),
        (json!({"kind": "s3", "place": "s3://k:s@flink/a"}), false),
        (json!({"kind": "s3", "place": "s3://Flink/a"}), false),
        (json!({"kind": "s3", "place": "s3a://flink/a"}), false),
        (json!({"kind": "s3"}), false),
        (json!({"kind": "s3", "place": "s3://flink", "pathStyle": true}), false),
        (json!({"kind": "s3", "place": "s3://flink", "endpoint": "minio:9000"}), false),
        (json!({"kind": "s3", "place": "s3://flink", "endpoint": "http://minio/a"}), false),
        (json!({"kind": "oss", "place": "oss://flink", "endpoint": "https://oss"}), false),
        (json!({"kind": "hdfs", "place": "hdfs://nn:8020/a", "hadoopConfigMap": "No_Name"}), false),
        (json!({"kind": "nfs", "place": "/a"}), false),
    ] {
        let file = json!({
            "name": "prod", "cluster": "c", "namespace": "flink", "registry": "r", "storage": storage,
        });
        assert_eq!(validator.is_valid(&file), valid, "{storage}");
        assert_eq!(is_taken(&file), valid, "{storage}");
    }
}
