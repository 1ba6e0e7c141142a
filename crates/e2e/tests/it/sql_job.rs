//! A script in SQL as a job, from its file to its result.

use flumen_e2e::{Orders, SCRIPT, payment_fee_jar, sql_job_file};

use crate::setup::{PATIENCE, Running, cache, is_asked_for, kubectl, up};

const ORDERS: u64 = 200_000;
const JOB: &str = "fees";

#[test]
fn flink_1_20_sums_up_orders_in_sql() {
    sums_up("1.20.5");
}

#[test]
fn flink_2_3_sums_up_orders_in_sql() {
    if is_asked_for("2.3.0") {
        sums_up("2.3.0");
    }
}

fn sums_up(version: &str) {
    let running = up();
    let (flumen, directory) = (&running.flumen, running.directory.path());
    let (input, output) = (directory.join("input"), directory.join("output"));
    std::fs::create_dir(&input).expect("a directory");
    let orders = Orders::generate(&input.join("orders.csv"), ORDERS).expect("orders");
    flumen.succeed(&["version", "add", version, "--wait"]).expect("a base image");
    payment_fee_jar(&cache(), version, directory).expect("the function");
    let file = directory.join("job.yaml");
    let text = sql_job_file(JOB, version, (&input, &output)) + "variables: {format: json}\n";
    std::fs::write(&file, text).expect("a job file");
    let file = file.display().to_string();

    wrong_scripts_are_refused(&running, &file);
    std::fs::write(directory.join("orders.sql"), with_variables()).expect("a script");
    let apply = ["apply", "--file", &file, "--var", "format=csv"];
    a_secret_that_is_missing_is_named(&running, &apply);
    let wait = ["--wait=finished", "--timeout", PATIENCE];
    let applied = flumen.run(&[&apply[..], &wait].concat()).expect("ran");
    assert!(applied.status.success(), "{}", applied.error);
    orders.check(&output).expect("the right sums");

    let again = flumen.json(&apply).expect("applied again");
    assert_eq!(again["change"], "unchanged", "{again}");
    unknown_tables_are_named(&running, &file);
    releases(&running);
    flumen.succeed(&["job", "delete", JOB, "--wait"]).expect("deleted");
    running.flumen.stop().expect("stopped");
}

/// The script with a variable for the format, and with one of the places a secret.
fn with_variables() -> String {
    let place = "file:///data/output/products";
    assert!(SCRIPT.contains(place));
    SCRIPT
        .replace(place, "file:///data/output/${secret:places/products}")
        .replace("'csv'", "'${format}'")
}

fn a_secret_that_is_missing_is_named(running: &Running, apply: &[&str]) {
    let answer = running.flumen.run(apply).expect("ran");
    assert!(!answer.status.success(), "{}", answer.output);
    let words = "the Secret default/places, which the script names, does not exist";
    assert!(answer.error.contains(words), "{words:?} is not in: {}", answer.error);
    let create = ["create", "secret", "generic", "places", "--from-literal=products=products"];
    let made = kubectl(&running.kubeconfig(), &create);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// What can be said without Flink is said before anything is made.
fn wrong_scripts_are_refused(running: &Running, file: &str) {
    let script = running.directory.path().join("orders.sql");
    for (text, words) in [
        (
            with_variables().replace("INSERT INTO", "INSRT INTO"),
            "orders.sql:18:1: no statement of Flink",
        ),
        (
            with_variables().replace("'${format}');\n\nINSERT", "'${format};\n\nINSERT"),
            "the text has no end",
        ),
        ("SHOW TABLES;".to_owned(), "starts a job"),
    ] {
        std::fs::write(&script, text).expect("a script");
        let answer = running.flumen.run(&["apply", "--file", file]).expect("ran");
        assert!(!answer.status.success(), "{}", answer.output);
        assert!(answer.error.contains(words), "{words:?} is not in: {}", answer.error);
    }
    let jobs = running.flumen.json(&["job", "list"]).expect("jobs");
    assert_eq!(jobs["items"].as_array().map(Vec::len), Some(0), "{jobs}");
}

/// What only Flink knows is said by it, with the place in the script.
fn unknown_tables_are_named(running: &Running, file: &str) {
    let script = running.directory.path().join("orders.sql");
    std::fs::write(&script, with_variables().replace("FROM orders GROUP", "FROM ordres GROUP"))
        .expect("a script");
    let apply = ["apply", "--file", file, "--var", "format=csv", "--force", "--wait"];
    let apply = [&apply[..], &["--timeout", PATIENCE]].concat();
    let answer = running.flumen.run(&apply).expect("ran");
    assert!(!answer.status.success(), "{}", answer.output);
    for words in ["line 24, column", "ordres"] {
        assert!(answer.error.contains(words), "{words:?} is not in: {}", answer.error);
    }
}

/// The wrong script was a release of its own; the right one comes back.
fn releases(running: &Running) {
    let flumen = &running.flumen;
    let list = flumen.json(&["release", "list", JOB]).expect("releases");
    let numbers: Vec<_> =
        list["items"].as_array().expect("a list").iter().map(|one| one["number"].clone()).collect();
    assert_eq!(numbers, [2, 1]);
    let diff = flumen.json(&["release", "diff", JOB, "1"]).expect("a comparison");
    assert_eq!(diff["changes"][0]["field"], "artifacts.orders.sql", "{diff}");
    let back = ["job", "rollback", JOB, "--release", "1", "--force", "--no-start"];
    flumen.succeed(&back).expect("rolled back");
    let job = flumen.json(&["job", "show", JOB]).expect("the job");
    assert_eq!(job["release"], list["items"][1]["id"], "{job}");
}
