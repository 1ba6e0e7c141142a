//! The JSON schema of a job file, for editors that complete and check while one writes. It is made from
//! the words that the reader itself uses, and a little more lenient than the reader.

use flumen_flink_conf::{Catalogue, FlinkOption, ValueType};
use flumen_model::{EnvironmentName, FlinkMinor, JobName};
use serde_json::{Map, Value, json};

use crate::job::{INTERVENTIONS, KINDS, LEFTOVERS, MODES, REQUIRED, ROLES, UPGRADE_MODES};

/// The JSON schema (draft 2020-12) of one document of a job file. With a minor, `configuration` has
/// that minor's options with their words and defaults, by dotted key; nested keys are always allowed.
pub fn schema(minor: Option<FlinkMinor>) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Flumen job",
        "type": "object",
        "additionalProperties": false,
        "required": REQUIRED,
        "properties": properties(minor),
        "if": {"properties": {"mode": {"const": "session"}}, "required": ["mode"]},
        "then": {"required": ["session"]},
        "else": {"properties": {"session": false}},
    })
}

fn properties(minor: Option<FlinkMinor>) -> Value {
    json!({
        "name": name("Unique in the environment.", JobName::MAX),
        "environment": name("Where the job runs; local is there from the start.", EnvironmentName::MAX),
        "flinkVersion": {
            "description": "The Flink version, which must have been added to Flumen.",
            "type": "string",
            "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$",
        },
        "mode": words("A cluster of its own, or a place in a session. Default: application.", &MODES),
        "session": text("The session, for mode: session."),
        "kind": words("What the job is made from. Default: jar.", &KINDS),
        "artifact": text("The jar, the script for kind: sql, or the program for kind: python (a .py file, or with module an archive or directory): a path relative to this file, a URL (https://…, http://…, oci://… or s3://…, with #sha256=… for what it must be), or (no script) local:///… inside the image."),
        "dependencies": {
            "description": "More files that the job needs.",
            "type": "array",
            "items": {"oneOf": [
                object(&json!({
                    "path": text("A path relative to this file."),
                    "role": words("What the file is for. Default: usrlib.", &ROLES),
                }), &["path"]),
                object(&json!({
                    "url": text("Where the server fetches the file from: https://…, http://…, oci://… or s3://…"),
                    "sha256": {
                        "description": "The SHA-256 that the file must have. Default: any.",
                        "type": "string",
                        "pattern": "^(sha256:)?[0-9a-f]{64}$",
                    },
                    "role": words("What the file is for. Default: usrlib.", &ROLES),
                }), &["url"]),
                object(&json!({
                    "maven": text("GROUP:ARTIFACT:VERSION or GROUP:ARTIFACT:TYPE[:CLASSIFIER]:VERSION, in a Maven repository."),
                    "exclude": {
                        "description": "What is left out of what it depends on: GROUP:ARTIFACT, where either may be *.",
                        "type": "array",
                        "items": {"type": "string"},
                    },
                    "role": words("What the files are for. Default: usrlib.", &ROLES),
                }), &["maven"]),
            ]},
        },
        "mainClass": text("The class with main, for kind: jar. Default: the one that the jar's manifest names."),
        "module": text("The module that is run, for kind: python, such as jobs.word_count. Default: the artifact is run."),
        "arguments": {
            "description": "Arguments for main or the Python program, passed as they are written; not for kind: sql.",
            "type": "array",
            "items": {"type": ["string", "number", "boolean"]},
        },
        "variables": {
            "description": "Values of the variables of the script, for kind: sql: ${name} there becomes the value of name. No place for secrets: those are ${secret:NAME/KEY} in the script.",
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$"},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        },
        "parallelism": count("parallelism.default. Default: what the configuration says, else 1."),
        "configuration": configuration(minor),
        "resources": resources(),
        "podTemplates": object(&json!({
            "common": pod("For both, where no other is given."),
            "jobManager": pod("For the JobManager, instead of common."),
            "taskManager": pod("For the TaskManagers, instead of common."),
        }), &[]),
        "upgradeMode": words("How a change of a running job is carried out. Default: stateful.", &UPGRADE_MODES),
        "restartPolicy": restart_policy(),
        "interventions": words("What follows when someone else ends a run. Default: accept.", &INTERVENTIONS),
        "leftovers": words("What becomes of what stands under the job's cluster id before a start. Default: own.", &LEFTOVERS),
        "allowNonRestoredState": {
            "description": "Whether a start drops state that no operator takes. Default: false, the start fails.",
            "type": "boolean",
        },
    })
}

fn restart_policy() -> Value {
    object(
        &json!({
            "attempts": {
                "description": "How many runs in a row may follow failed ones. Default: 3 once the job has completed a checkpoint, else 0.",
                "type": "integer",
                "minimum": 0,
            },
            "backOff": text("How long to wait before the first, doubled each time. Default: 10 s."),
            "maxBackOff": text("The longest wait. Default: 5 min."),
            "window": text("A run that ran this long starts the count anew. Default: 1 h."),
            "startTimeout": text("A start that has not come to RUNNING by then is given up. Default: it is waited for."),
        }),
        &[],
    )
}

fn resources() -> Value {
    object(
        &json!({
            "jobManager": object(&json!({
                "cpu": cores("Cores of the JobManager. Default: 1."),
                "memory": size("jobmanager.memory.process.size. Default: 1600m."),
                "replicas": count("kubernetes.jobmanager.replicas. Default: 1."),
            }), &[]),
            "taskManager": object(&json!({
                "cpu": cores("Cores of each TaskManager. Default: as many as slots."),
                "memory": size("taskmanager.memory.process.size. Default: 1728m."),
                "slots": count("taskmanager.numberOfTaskSlots. Default: 1."),
            }), &[]),
        }),
        &[],
    )
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

fn text(description: &str) -> Value {
    json!({"description": description, "type": "string", "minLength": 1})
}

fn name(description: &str, max: usize) -> Value {
    let pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$";
    json!({"description": description, "type": "string", "maxLength": max, "pattern": pattern})
}

fn words<T>(description: &str, choices: &[(&str, T)]) -> Value {
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    json!({"description": description, "enum": words})
}

fn count(description: &str) -> Value {
    json!({"description": description, "type": "integer", "minimum": 1})
}

fn cores(description: &str) -> Value {
    json!({"description": description, "type": "number", "exclusiveMinimum": 0})
}

fn size(description: &str) -> Value {
    let pattern = "^ *[0-9]+ *[A-Za-z]* *$";
    json!({"description": description, "type": ["string", "integer"], "pattern": pattern, "minimum": 0})
}

fn pod(description: &str) -> Value {
    let part = json!({"type": "object"});
    json!({
        "description": format!("A Kubernetes Pod. {description}"),
        "type": "object",
        "properties": {"metadata": part, "spec": part},
    })
}

fn configuration(minor: Option<FlinkMinor>) -> Value {
    let is_for_users = |option: &&FlinkOption| !option.is_pattern() && !option.internal;
    let options = minor.map(|minor| Catalogue::of(minor).iter().filter(is_for_users));
    let options: Map<String, Value> =
        options.into_iter().flatten().map(|it| (it.key.to_owned(), option(it))).collect();
    json!({
        "description": "Flink options, nested or with dotted keys.",
        "type": "object",
        "properties": options,
    })
}

fn option(option: &FlinkOption) -> Value {
    let mut schema = Map::new();
    if let Some(default) = option.default {
        schema.insert("description".to_owned(), json!(format!("Default: {default}")));
    }
    let (rule, value) = match option.value_type {
        ValueType::Enum => {
            ("anyOf", json!([{"enum": option.words}, {"type": ["string", "boolean"]}]))
        }
        ValueType::Boolean => ("type", json!(["boolean", "string"])),
        ValueType::Integer | ValueType::Long => ("type", json!(["integer", "string"])),
        ValueType::Float | ValueType::Double => ("type", json!(["number", "string"])),
        ValueType::List | ValueType::Enums | ValueType::Maps => {
            ("type", json!(["array", "string", "number", "boolean"]))
        }
        ValueType::Map => ("type", json!(["object", "string"])),
        ValueType::Text | ValueType::Duration | ValueType::Size => {
            ("type", json!(["string", "number", "boolean", "object"]))
        }
    };
    schema.insert(rule.to_owned(), value);
    if option.deprecated {
        schema.insert("deprecated".to_owned(), json!(true));
    }
    Value::Object(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::KEYS;

    #[test]
    fn the_schema_has_the_keys_that_the_reader_knows() {
        let schema = schema(None);
        let keys: Vec<&String> = schema["properties"].as_object().expect("a map").keys().collect();
        assert_eq!(keys, KEYS);
    }

    #[test]
    fn every_minor_brings_its_options() {
        let options =
            |minor| schema(Some(minor))["properties"]["configuration"]["properties"].clone();
        for minor in FlinkMinor::SUPPORTED {
            assert!(options(minor)["taskmanager.numberOfTaskSlots"].is_object(), "{minor}");
        }
        let newest = options(FlinkMinor::new(2, 3));
        assert_eq!(newest["execution.runtime-mode"]["anyOf"][0]["enum"][1], "BATCH");
        assert!(newest["jobmanager.heap.size"].is_null());
    }
}
