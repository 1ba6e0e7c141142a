use flumen_e2e::{Remains, WordCount, example_jar, job_file};

use crate::setup::{PATIENCE, cache, up};

const TEXT_BYTES: u64 = 100 << 20;

#[test]
fn flink_1_20_counts_the_words_of_100_mib() {
    count_words("1.20.5");
}

#[test]
fn flink_2_3_counts_the_words_of_100_mib() {
    count_words("2.3.0");
}

fn count_words(version: &str) {
    let jar = example_jar(&cache(), version).expect("the example jar");
    let running = up();
    let (flumen, directory) = (&running.flumen, running.directory.path());
    let (input, output) = (directory.join("input"), directory.join("output"));
    std::fs::create_dir(&input).expect("a directory");
    let words = WordCount::generate(&input.join("words.txt"), TEXT_BYTES).expect("a text");
    flumen.succeed(&["version", "add", version, "--wait"]).expect("a base image");
    let file = directory.join("job.yaml");
    std::fs::write(&file, job_file("word-count", version, &jar, (&input, &output)))
        .expect("a job file");
    let file = file.display().to_string();
    let applied = flumen.run(&["apply", "--file", &file, "--wait=finished", "--timeout", PATIENCE]);
    let applied = applied.expect("ran");
    assert!(applied.status.success(), "{}", applied.error);
    for state in ["RUNNING", "FINISHED"] {
        assert!(applied.error.contains(state), "no {state} in {}", applied.error);
    }
    words.check(&output).expect("the right counts");

    let log = flumen.succeed(&["job", "logs", "word-count"]).expect("the saved log");
    assert!(
        log.contains("switched from state RUNNING to FINISHED"),
        "the log has {} bytes",
        log.len()
    );
    let operations =
        flumen.json(&["operation", "list", "--job", "word-count"]).expect("operations");
    let id = operations["items"][0]["id"].as_str().expect("an operation").to_owned();
    let operation = flumen.json(&["operation", "show", &id]).expect("the operation");
    let steps: Vec<_> = operation["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .filter_map(|step| step["name"].as_str())
        .collect();
    let first =
        ["locate-snapshot", "build-image", "render-objects", "remove-leftovers", "create-objects"];
    assert_eq!(steps[..5], first);

    let applied = flumen.json(&["apply", "--file", &file]).expect("applied again");
    assert_eq!(applied["change"], "unchanged", "{applied}");
    flumen.succeed(&["job", "delete", "word-count", "--wait"]).expect("deleted");
    let jobs = flumen.json(&["job", "list"]).expect("jobs");
    assert_eq!(jobs["items"].as_array().map(Vec::len), Some(0), "{jobs}");

    let data = flumen.directory().to_owned();
    let before = Remains::of(&data.join("nowhere"));
    running.flumen.stop().expect("stopped");
    assert_eq!(Remains::of(&data).since(&before), [""; 0]);
}
