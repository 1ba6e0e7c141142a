//! Orders in a file: what a script in SQL, a database and a program in Python come to, each compared with what Rust computed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flumen_e2e::{
    DATABASE_SCRIPT, Database, Flumen, Orders, SCRIPT, database_job_file, payment_fee_jar,
    pyflink_packages, python_job_file, sql_job_file, write_python_program,
};

use crate::{
    VERSION,
    steps::{possible, step, told},
};

const ORDERS: u64 = 1_000_000;
/// Rows go through another process and back.
const ORDERS_FOR_PYTHON: u64 = 200_000;

/// A script in SQL with a function from a jar, then one with a connector from Maven and a database.
pub(crate) fn in_sql(flumen: &Flumen, cache: &Path, directory: &Path) -> Result<()> {
    let input = make(directory, "orders")?;
    let orders = step(&format!("write {ORDERS} orders"), || {
        Orders::generate(&input.join("orders.csv"), ORDERS)
    })?;
    step("compile a function in Java and pack it into a jar", || {
        payment_fee_jar(cache, VERSION, directory)
    })?;
    let output = directory.join("sums");
    write(&directory.join("orders.sql"), SCRIPT)?;
    let file = directory.join("fees.yaml");
    write(&file, &sql_job_file("fees", VERSION, (&input, &output)))?;
    apply(
        flumen,
        "flumen apply --wait=finished: a script in SQL with the function, two INSERTs",
        &file,
    )?;
    told("compare amounts and fees in windows of event time", || orders.check(&output))?;
    in_database(flumen, directory, (&input, &orders))
}

fn in_database(flumen: &Flumen, directory: &Path, (input, orders): (&Path, &Orders)) -> Result<()> {
    let database = step("start PostgreSQL in a pod", || {
        Database::start(flumen, VERSION, &directory.join("database"))
    })?;
    write(&directory.join("revenue.sql"), DATABASE_SCRIPT)?;
    let file = directory.join("revenue.yaml");
    write(&file, &database_job_file("revenue", VERSION, input))?;
    apply(
        flumen,
        "flumen apply --wait=finished: connector and driver from Maven, rows into PostgreSQL",
        &file,
    )?;
    told("compare the rows that psql reads", || orders.check_table(&database.rows()?))?;
    step("remove PostgreSQL", || database.stop())
}

/// A program in Python, where this machine can have `PyFlink`.
pub(crate) fn in_python(flumen: &Flumen, cache: &Path, directory: &Path) -> Result<()> {
    let Some(packages) = possible("get PyFlink", || pyflink_packages(cache, VERSION))? else {
        return Ok(());
    };
    let packages = packages.display().to_string();
    step(&format!("flumen version add {VERSION} --pyflink: base image with Python"), || {
        flumen.succeed(&["version", "add", VERSION, "--pyflink", &packages, "--wait"])
    })?;
    let directory = make(directory, "python")?;
    let (input, output) = (make(&directory, "input")?, directory.join("output"));
    let orders = step(&format!("write {ORDERS_FOR_PYTHON} orders"), || {
        Orders::generate(&input.join("orders.csv"), ORDERS_FOR_PYTHON)
    })?;
    write_python_program(&directory)?;
    write(&directory.join("requirements.txt"), "apache-flink\n")?;
    let file = directory.join("job.yaml");
    write(&file, &python_job_file("python-fees", VERSION, (&input, &output)))?;
    apply(flumen, "flumen apply --wait=finished: a program in Python with its function", &file)?;
    told("compare what Python came to", || orders.check(&output))
}

fn apply(flumen: &Flumen, what: &str, file: &Path) -> Result<()> {
    let file = file.display().to_string();
    let applied = ["apply", "--file", &file, "--wait=finished"];
    told(what, || flumen.succeed(&applied))
}

fn make(directory: &Path, name: &str) -> Result<PathBuf> {
    let made = directory.join(name);
    std::fs::create_dir(&made).with_context(|| format!("could not make {}", made.display()))?;
    Ok(made)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}
