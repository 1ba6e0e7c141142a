//! A script in SQL whose connector and driver come from Maven, with a database.

use flumen_e2e::{DATABASE_SCRIPT, Database, Orders, database_job_file};

use crate::setup::{PATIENCE, up};

const VERSION: &str = "1.20.5";
const ORDERS: u64 = 100_000;
const JOB: &str = "revenue";

#[test]
fn a_connector_from_maven_reads_and_writes_tables_of_postgresql() {
    let running = up();
    let (flumen, directory) = (&running.flumen, running.directory.path());
    let input = directory.join("input");
    std::fs::create_dir(&input).expect("a directory");
    let orders = Orders::generate(&input.join("orders.csv"), ORDERS).expect("orders");
    flumen.succeed(&["version", "add", VERSION, "--wait"]).expect("a base image");
    let database =
        Database::start(flumen, VERSION, &directory.join("database")).expect("a database");
    let stale = orders.check_table(&database.rows().expect("rows"));
    assert!(stale.is_err(), "the table holds what the job has to replace");

    std::fs::write(directory.join("revenue.sql"), DATABASE_SCRIPT).expect("a script");
    let file = directory.join("job.yaml");
    std::fs::write(&file, database_job_file(JOB, VERSION, &input)).expect("a job file");
    let file = file.display().to_string();
    let apply = ["apply", "--file", &file, "--wait=finished", "--timeout", PATIENCE];
    let applied = flumen.run(&apply).expect("ran");
    let log = flumen.run(&["job", "logs", JOB]).expect("ran").output;
    assert!(applied.status.success(), "{}{log}", applied.error);
    orders.check_table(&database.rows().expect("rows")).expect("the right rows");

    // The connector has two factories of catalogs of one type, and Flink runs with both.
    let words = "when a catalog of that type is made";
    assert!(applied.error.contains(words), "{words:?} is not in: {}", applied.error);
    let release = flumen.json(&["release", "show", JOB, "1"]).expect("the release").to_string();
    for brought in ["org.apache.flink:flink-connector-jdbc:", "org.postgresql:postgresql:"] {
        assert!(release.contains(brought), "{brought} is not in {release}");
    }
    for place in [&release, &log, &applied.error] {
        assert!(!place.contains(database.password()), "the password is in {place}");
    }
    flumen.succeed(&["job", "delete", JOB, "--wait"]).expect("deleted");
    database.stop().expect("removed");
    running.flumen.stop().expect("stopped");
}
