use flumen_e2e::{Answer, example_jar};

use crate::setup::{PATIENCE, Running, cache, up};

fn apply(running: &Running, text: &str, more: &[&str]) -> Answer {
    let file = running.directory.path().join("job.yaml");
    std::fs::write(&file, text).expect("a job file");
    let file = file.display().to_string();
    running.flumen.run(&[&["apply", "--file", &file], more].concat()).expect("ran")
}

fn job(artifact: &str, more: &str) -> String {
    format!("name: bad\nenvironment: local\nflinkVersion: 1.20.5\nartifact: {artifact}\n{more}")
}

/// The whole error names what is wrong and what to do, and nothing was made.
fn assert_refused(running: &Running, text: &str, words: &[&str]) {
    let answer = apply(running, text, &[]);
    assert!(!answer.status.success(), "{text} was taken: {}", answer.output);
    for word in words {
        assert!(answer.error.contains(word), "{word:?} is missing in: {}", answer.error);
    }
    let jobs = running.flumen.json(&["job", "list"]).expect("jobs");
    assert_eq!(jobs["items"].as_array().map(Vec::len), Some(0), "half-made: {jobs}");
}

#[test]
fn what_is_wrong_is_refused_with_what_where_and_what_to_do() {
    let running = up();
    let directory = running.directory.path();
    std::fs::write(directory.join("no.jar"), "this is no zip archive").expect("a file");
    std::fs::write(directory.join("ok.jar"), b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
        .expect("a file");

    assert_refused(&running, &job("ok.jar", ""), &["1.20.5", "flumen version add"]);
    running.flumen.succeed(&["version", "add", "1.20.5", "--wait"]).expect("a base image");
    assert_refused(
        &running,
        &job("ok.jar", "paralelism: 2\n"),
        &["job.yaml", "5", "paralelism", "parallelism"],
    );
    assert_refused(&running, &job("gone.jar", ""), &["gone.jar"]);
    assert_refused(&running, &job("no.jar", ""), &["no.jar", "zip"]);
    assert_refused(
        &running,
        &job("ok.jar", "mainClass: no.such.Job\n"),
        &["no.such.Job", "ok.jar"],
    );
    let configuration = "configuration:\n  execution.checkpointing.interval: soon\n";
    assert_refused(
        &running,
        &job("ok.jar", configuration),
        &["execution.checkpointing.interval", "soon"],
    );
    let elsewhere = job("ok.jar", "").replace("environment: local", "environment: prod");
    assert_refused(&running, &elsewhere, &["prod", "flumen environment list"]);
}

#[test]
fn a_job_that_cannot_start_says_why_in_one_sentence() {
    let running = up();
    let flumen = &running.flumen;
    let jar = example_jar(&cache(), "1.20.5").expect("the example jar").display().to_string();
    flumen.succeed(&["version", "add", "1.20.5", "--wait"]).expect("a base image");

    let until_its_end = ["--wait=finished", "--timeout", PATIENCE];
    // Only the image may have it, so that Flink is asked.
    let missing = "org.apache.flink.no.such.Job";
    let answer = apply(&running, &job(&jar, &format!("mainClass: {missing}\n")), &until_its_end);
    assert!(!answer.status.success(), "{}", answer.output);
    assert!(answer.error.contains(missing), "{}", answer.error);
    let shown = flumen.json(&["job", "show", "bad"]).expect("the job");
    assert!(shown["reason"].as_str().is_some_and(|reason| reason.contains(missing)), "{shown}");

    let large = job(
        &jar,
        "mainClass: org.apache.flink.streaming.examples.wordcount.WordCount\n\
                           resources: {jobManager: {memory: 900g}}\n",
    )
    .replace("name: bad", "name: large");
    let answer = apply(&running, &large, &[]);
    assert!(answer.status.success(), "{}", answer.error);
    // There is no end to wait for: it waits for memory that this machine has not.
    let began = std::time::Instant::now();
    loop {
        let shown = flumen.json(&["job", "show", "large"]).expect("the job");
        if shown["reason"].as_str().is_some_and(|reason| reason.contains("Insufficient memory")) {
            assert_eq!(shown["state"], "STARTING");
            break;
        }
        assert!(began.elapsed() < std::time::Duration::from_mins(1), "{shown}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    flumen.succeed(&["job", "delete", "large", "--wait"]).expect("deleted");
}
