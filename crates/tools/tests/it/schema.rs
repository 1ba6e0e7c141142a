use serde_json::Value;

use crate::{WORD_COUNT, schema_of};

fn validator(minor: Option<&str>) -> jsonschema::Validator {
    jsonschema::validator_for(&schema_of(minor)).expect("a schema")
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("YAML")
}

/// The job file of "Five minutes".
fn readme_job() -> String {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    let (_, rest) = readme.split_once("```yaml\n").expect("a job file");
    rest.split_once("```").expect("an end").0.to_owned()
}

fn demo_jobs() -> [String; 4] {
    let (path, version) = (std::path::Path::new("/job.jar"), "1.20.5");
    [
        flumen_e2e::job_file("word-count", version, path, (path, path)),
        flumen_e2e::sql_job_file("fees", version, (path, path)),
        flumen_e2e::database_job_file("revenue", version, path),
        flumen_e2e::python_job_file("python-fees", version, (path, path)),
    ]
}

#[test]
fn job_files_that_the_reader_takes_are_valid() {
    for minor in [None, Some("1.20"), Some("2.3")] {
        let validator = validator(minor);
        for job in demo_jobs().into_iter().chain([readme_job(), WORD_COUNT.to_owned()]) {
            flumen_job_file::parse("job.yaml", &job).expect("a job");
            let errors: Vec<String> =
                validator.iter_errors(&yaml(&job)).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?} in\n{job}");
        }
    }
}

#[test]
fn job_files_that_the_reader_refuses_for_their_form_are_not() {
    let validator = validator(None);
    for (from, to) in [
        ("parallelism: 2", "paralelism: 2"),
        ("parallelism: 2", "parallelism: 0"),
        ("flinkVersion: 1.20.5", "flinkVersion: 1.20"),
        ("name: word-count", "name: Word_Count"),
        ("artifact: target/word-count.jar\n", ""),
        ("parallelism: 2", "mode: session"),
        ("parallelism: 2", "session: shared"),
        ("parallelism: 2", "upgradeMode: sometimes"),
        ("memory: 1g", "memory: 3 bananas a day"),
        ("memory: 1g", "ram: 1g"),
    ] {
        let job = WORD_COUNT.replacen(from, to, 1);
        assert_ne!(job, WORD_COUNT);
        assert!(flumen_job_file::parse("job.yaml", &job).is_err(), "{to}");
        assert!(!validator.is_valid(&yaml(&job)), "{to}");
    }
}
