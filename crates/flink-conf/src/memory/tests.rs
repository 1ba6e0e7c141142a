use flumen_model::FlinkMinor;
use serde_json::Value;

use super::*;
use crate::Configuration;

/// The recording ran the model alone; before it, Flink's client takes the old heap size.
#[test]
fn the_model_alone_does_not_know_the_old_heap_size_of_a_task_manager() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../tests/data/memory.json")).expect("valid JSON");
    let is_old =
        |case: &&Value| case["conf"].as_str().is_some_and(|it| it.starts_with("taskmanager.heap"));
    let old: Vec<&Value> = cases.iter().filter(is_old).collect();
    assert_eq!(old.len(), 2);
    for case in old {
        assert_eq!(case["results"][0]["versions"], "1.11..2.3");
        assert!(case["results"][0]["result"]["error"].is_string());
        let (key, value) = case["conf"].as_str().and_then(|it| it.split_once('=')).expect("k=v");
        for minor in FlinkMinor::SUPPORTED {
            let mut configuration = Configuration::new(minor);
            configuration.set_text(key, value);
            let error = task_manager::as_configured(&configuration).expect_err(key);
            assert!(matches!(error, MemoryError::NothingSet { .. }), "{minor}: {error}");
        }
    }
}
