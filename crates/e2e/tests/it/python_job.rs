//! A Python program as a job, from its file to its result.

use flumen_e2e::{
    Orders, pyflink_packages, python_job_file, write_python_program, write_script_with_function,
};

use crate::setup::{PATIENCE, Running, cache, is_asked_for, up};

const ORDERS: u64 = 50_000;
const JOB: &str = "python-revenue";

#[test]
fn flink_1_20_sums_up_orders_in_python() {
    if is_asked_for("1.20.5") {
        sums_up("1.20.5");
    }
}

#[test]
fn flink_2_3_sums_up_orders_in_python() {
    sums_up("2.3.0");
}

fn sums_up(version: &str) {
    let packages = pyflink_packages(&cache(), version).expect("PyFlink");
    let running = up();
    let (flumen, directory) = (&running.flumen, running.directory.path());
    let (input, output) = (directory.join("input"), directory.join("output"));
    std::fs::create_dir(&input).expect("a directory");
    let orders = Orders::generate(&input.join("orders.csv"), ORDERS).expect("orders");
    write_python_program(directory).expect("a program");
    // Of what the image has; anything else would be fetched from outside.
    std::fs::write(directory.join("requirements.txt"), "apache-flink\nnumpy>=1.20\n")
        .expect("a file");
    let file = directory.join("job.yaml");
    std::fs::write(&file, python_job_file(JOB, version, (&input, &output))).expect("a job file");
    let file = file.display().to_string();

    flumen.succeed(&["version", "add", version, "--wait"]).expect("a base image");
    an_image_without_pyflink_is_named(&running, &file);
    let packages = packages.display().to_string();
    let add = ["version", "add", version, "--pyflink", &packages, "--wait"];
    flumen.succeed(&add).expect("a base image with PyFlink");
    a_package_without_a_wheel_is_named(&running, &file);

    let applied = flumen.run(&["apply", "--file", &file, "--wait=finished", "--timeout", PATIENCE]);
    let applied = applied.expect("ran");
    assert!(applied.status.success(), "{}{}", applied.error, log(&running));
    orders.check(&output).expect("the right sums");

    let again = flumen.json(&["apply", "--file", &file]).expect("applied again");
    assert_eq!(again["change"], "unchanged", "{again}");
    an_error_of_the_program_is_told(&running, &file);
    flumen.succeed(&["job", "delete", JOB, "--wait"]).expect("deleted");
    a_script_calls_the_function(&running, version, &orders);
    running.flumen.stop().expect("stopped");
}

/// The same sums of the same orders, by a script in SQL and the function of the program.
fn a_script_calls_the_function(running: &Running, version: &str, orders: &Orders) {
    let directory = running.directory.path();
    let (input, output) = (directory.join("input"), directory.join("output-of-script"));
    let names = (JOB, version);
    let text = write_script_with_function(directory, names, (&input, &output)).expect("a script");
    let file = directory.join("script.yaml");
    std::fs::write(&file, text).expect("a job file");
    let file = file.display().to_string();
    flink_explains_the_function(running, version, &file);
    let apply = ["apply", "--file", &file, "--wait=finished", "--timeout", PATIENCE];
    let applied = running.flumen.run(&apply).expect("ran");
    assert!(applied.status.success(), "{}{}", applied.error, log(running));
    orders.check(&output).expect("the right sums");
    running.flumen.succeed(&["job", "delete", JOB, "--wait"]).expect("deleted");
}

/// The plan has the function, whose type only Python knows; one that Python does not find has its place in the script.
fn flink_explains_the_function(running: &Running, version: &str, file: &str) {
    let check = ["sql", "check", "--explain", "--job-file", file, "--timeout", "5m"];
    let said = running.flumen.succeed(&check).expect("a good script");
    for words in ["PythonCalc", &format!("revenue.sql is good for Flink {version}")] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    let functions = running.directory.path().join("functions.py");
    let right = std::fs::read_to_string(&functions).expect("functions");
    std::fs::write(&functions, right.replace("def payment_fee", "def fee")).expect("functions");
    let answer = running.flumen.run(&check).expect("ran");
    assert_eq!(answer.status.code(), Some(2), "{}{}", answer.output, answer.error);
    for words in ["revenue.sql:", "error: ", "payment_fee"] {
        assert!(answer.output.contains(words), "{words:?} is not in: {}", answer.output);
    }
    std::fs::write(&functions, right).expect("functions");
}

fn log(running: &Running) -> String {
    running.flumen.run(&["job", "logs", JOB]).map(|answer| answer.output).unwrap_or_default()
}

fn an_image_without_pyflink_is_named(running: &Running, file: &str) {
    let answer = running.flumen.run(&["apply", "--file", file]).expect("ran");
    assert!(!answer.status.success(), "{}", answer.output);
    for words in ["has no Python with PyFlink", "--pyflink DIRECTORY"] {
        assert!(answer.error.contains(words), "{words:?} is not in: {}", answer.error);
    }
}

/// Without an index that could be asked: the requirement itself is wrong.
fn a_package_without_a_wheel_is_named(running: &Running, file: &str) {
    let requirements = running.directory.path().join("requirements.txt");
    let right = std::fs::read_to_string(&requirements).expect("requirements");
    std::fs::write(&requirements, "apache-flink==1.0\n").expect("requirements");
    let answer = running.flumen.run(&["apply", "--file", file]).expect("ran");
    assert!(!answer.status.success(), "{}", answer.output);
    let words = "which belongs to its Flink, and that does not fit: apache-flink==1.0 (line 1 of requirements.txt)";
    assert!(answer.error.contains(words), "{words:?} is not in: {}", answer.error);
    std::fs::write(&requirements, right).expect("requirements");
}

/// What only Python knows is in the log of the JobManager, and the job has failed.
fn an_error_of_the_program_is_told(running: &Running, file: &str) {
    let program = running.directory.path().join("revenue.py");
    std::fs::write(&program, "import nothing_of_this_name\n").expect("a program");
    let apply = ["apply", "--file", file, "--force", "--wait", "--timeout", PATIENCE];
    let answer = running.flumen.run(&apply).expect("ran");
    assert!(!answer.status.success(), "{}", answer.output);
    let log = log(running);
    assert!(log.contains("No module named 'nothing_of_this_name'"), "{}{log}", answer.error);
}
