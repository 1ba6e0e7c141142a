//! A job in Python, and the packages that its base image needs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{job_file::Pods, payment_fee::PAYMENTS};

/// The Python that pods of the local cluster have, which is this machine's own.
const PYTHON: &str = "/usr/bin/python3";

/// Installs `PyFlink` and what it needs, but for the jars, which the distribution has. Some of it comes as source only and is
/// built here. The bytecode is written once, as an image is not written to.
const INSTALL: &str = "import compileall, glob, os, py_compile, shutil, subprocess, sys, zipfile
version, target, part = sys.argv[1:]
shutil.rmtree(part, ignore_errors=True)
pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check', '--quiet']
install = [*pip, 'install', '--root-user-action', 'ignore', '--no-compile', '--target', part + '/packages']
subprocess.run([*pip, 'download', '--no-deps', '--only-binary', ':all:', '-d', part, f'apache-flink=={version}'], check=True)
wheel, = glob.glob(part + '/*.whl')
with zipfile.ZipFile(wheel) as archive:
    name, = [name for name in archive.namelist() if name.endswith('.dist-info/METADATA')]
    lines = archive.read(name).decode().splitlines()
needs = [line.split(':', 1)[1].strip() for line in lines if line.startswith('Requires-Dist:')]
needs = [need for need in needs if 'extra ==' not in need and not need.startswith('apache-flink-libraries')]
subprocess.run([*install, '--no-deps', wheel], check=True)
subprocess.run([*install, *needs], check=True)
compileall.compile_dir(part + '/packages', quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
os.rename(part + '/packages', target)
shutil.rmtree(part)
";

/// A directory with the packages of `PyFlink` of this version, installed once into the cache directory.
///
/// # Errors
/// If the machine has no Python with pip, or something cannot be downloaded or built.
pub fn pyflink_packages(cache: &Path, version: &str) -> Result<PathBuf> {
    let directory = cache.join("pyflink");
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("could not create {}", directory.display()))?;
    let target = directory.join(version);
    if target.exists() {
        return Ok(target);
    }
    let part = directory.join(format!(".part-{version}-{}", std::process::id()));
    let arguments = [version.as_ref(), target.as_os_str(), part.as_os_str()];
    let output = Command::new(PYTHON).args(["-c", INSTALL]).args(arguments).output();
    let output = output.with_context(|| format!("could not run {PYTHON}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    ensure!(output.status.success(), "could not install PyFlink {version}: {last}");
    Ok(target)
}

/// A program that comes to what the SQL script of the orders comes to. Its function uses a module beside it, which uses one of
/// a wheel.
const PROGRAM: &str = "import argparse

from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import udf

from fees import fee_of

parser = argparse.ArgumentParser()
parser.add_argument('--input', required=True)
parser.add_argument('--output', required=True)
paths = parser.parse_args()


@udf(result_type=DataTypes.DECIMAL(10, 2))
def payment_fee(payment, amount):
    return fee_of(payment, amount)


environment = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
environment.create_temporary_function('payment_fee', payment_fee)
environment.execute_sql(f\"\"\"
    CREATE TABLE orders (
      id BIGINT, product STRING, payment STRING, amount DECIMAL(10, 2), ordered_at TIMESTAMP(3),
      WATERMARK FOR ordered_at AS ordered_at - INTERVAL '5' SECOND)
    WITH ('connector' = 'filesystem', 'path' = '{paths.input}', 'format' = 'csv')\"\"\")
environment.execute_sql(f\"\"\"
    CREATE TABLE revenue (ten_minutes STRING, payment STRING, orders BIGINT, amount STRING, fees STRING)
    WITH ('connector' = 'filesystem', 'path' = '{paths.output}/revenue', 'format' = 'csv')\"\"\")
environment.execute_sql(f\"\"\"
    CREATE TABLE products (product STRING, orders BIGINT)
    WITH ('connector' = 'filesystem', 'path' = '{paths.output}/products', 'format' = 'csv')\"\"\")
environment.execute_sql(\"\"\"
    CREATE TEMPORARY VIEW paid AS
    SELECT ordered_at, payment, amount, payment_fee(payment, amount) AS fee FROM orders\"\"\")
statements = environment.create_statement_set()
statements.add_insert_sql(\"\"\"
    INSERT INTO revenue
    SELECT DATE_FORMAT(window_start, 'HH:mm'), payment, COUNT(*), CAST(SUM(amount) AS STRING), CAST(SUM(fee) AS STRING)
    FROM TABLE(TUMBLE(TABLE paid, DESCRIPTOR(ordered_at), INTERVAL '10' MINUTE))
    GROUP BY payment, window_start, window_end\"\"\")
statements.add_insert_sql('INSERT INTO products SELECT product, COUNT(*) FROM orders GROUP BY product')
statements.execute()
";

/// The module `fees`.
const FEES: &str = "from decimal import ROUND_HALF_UP, Decimal

from shop import FEES


def fee_of(payment, amount):
    share, fixed = FEES[payment]
    return (amount * Decimal(share)).quantize(Decimal('0.01'), ROUND_HALF_UP) + Decimal(fixed)
";

/// Writes the program as `revenue.py`, and what it uses: the directory `lib` and a wheel.
///
/// # Errors
/// If something cannot be written.
pub fn write_python_program(directory: &Path) -> Result<()> {
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))
    };
    write("revenue.py", PROGRAM)?;
    std::fs::create_dir_all(directory.join("lib")).context("could not create a directory")?;
    write("lib/fees.py", FEES)?;
    let fees = PAYMENTS.iter().map(|it| {
        let (share, fixed) = (it.share, it.fixed);
        format!("    '{}': ('0.{share:04}', '{}.{:02}'),\n", it.name, fixed / 100, fixed % 100)
    });
    let module = directory.join("shop.py");
    std::fs::write(&module, format!("FEES = {{\n{}}}\n", fees.collect::<String>()))
        .with_context(|| format!("could not write {}", module.display()))?;
    let script = "import sys, zipfile\n\
                  with zipfile.ZipFile(sys.argv[1], 'w') as wheel:\n\
                  \x20   wheel.write(sys.argv[2], 'shop/__init__.py')\n\
                  \x20   wheel.writestr('shop-1.0.dist-info/METADATA', 'Name: shop\\nVersion: 1.0\\n')\n";
    crate::examples::python(script, &[directory.join("shop-1.0-py3-none-any.whl"), module])
}

/// The function of that program as one that a script can name, and a script that comes to the same with it.
const FUNCTION: &str = "from pyflink.table import DataTypes
from pyflink.table.udf import udf

from fees import fee_of


@udf(result_type=DataTypes.DECIMAL(10, 2))
def payment_fee(payment, amount):
    return fee_of(payment, amount)
";
const SCRIPT: &str = "SET 'execution.runtime-mode' = 'batch';
CREATE FUNCTION payment_fee AS 'functions.payment_fee' LANGUAGE PYTHON;
CREATE TABLE orders (
  id BIGINT, product STRING, payment STRING, amount DECIMAL(10, 2), ordered_at TIMESTAMP(3),
  WATERMARK FOR ordered_at AS ordered_at - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'file:///data/input/orders.csv', 'format' = 'csv');
CREATE TABLE revenue (ten_minutes STRING, payment STRING, orders BIGINT, amount STRING, fees STRING)
WITH ('connector' = 'filesystem', 'path' = 'file:///data/output/revenue', 'format' = 'csv');
CREATE TABLE products (product STRING, orders BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'file:///data/output/products', 'format' = 'csv');
CREATE TEMPORARY VIEW paid AS
SELECT ordered_at, payment, amount, payment_fee(payment, amount) AS fee FROM orders;
INSERT INTO revenue
SELECT DATE_FORMAT(window_start, 'HH:mm'), payment, COUNT(*), CAST(SUM(amount) AS STRING), CAST(SUM(fee) AS STRING)
FROM TABLE(TUMBLE(TABLE paid, DESCRIPTOR(ordered_at), INTERVAL '10' MINUTE))
GROUP BY payment, window_start, window_end;
INSERT INTO products SELECT product, COUNT(*) FROM orders GROUP BY product;
";

/// Writes `revenue.sql` and `functions.py` beside the program, and returns the job file of the script.
///
/// # Errors
/// If something cannot be written.
pub fn write_script_with_function(
    directory: &Path,
    (name, version): (&str, &str),
    paths: (&Path, &Path),
) -> Result<String> {
    for (file, text) in [("revenue.sql", SCRIPT), ("functions.py", FUNCTION)] {
        let path = directory.join(file);
        std::fs::write(&path, text)
            .with_context(|| format!("could not write {}", path.display()))?;
    }
    let of_program = python_job_file(name, version, paths);
    let lines = of_program.lines().filter(|line| !line.starts_with("arguments:"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = text.replace("kind: python", "kind: sql").replace("revenue.py", "revenue.sql");
    Ok(text.replace("dependencies:\n", "dependencies:\n  - {path: functions.py, role: python}\n"))
}

/// The job file of that program, which lies beside it; the paths are the node's. With one slot, Flink asks for a second TaskManager
/// just before the job ends, which is then told to end while it is a script that hears nothing of it, for the whole of its grace.
pub fn python_job_file(name: &str, version: &str, paths: (&Path, &Path)) -> String {
    let templates = Pods::new(paths).templates();
    format!(
        "name: {name}
environment: local
flinkVersion: {version}
kind: python
artifact: revenue.py
arguments: [--input, file:///data/input/orders.csv, --output, file:///data/output]
dependencies:
  - {{path: lib, role: python}}
  - {{path: shop-1.0-py3-none-any.whl, role: python}}
  - {{path: requirements.txt, role: requirements}}
parallelism: 1
resources:
  jobManager: {{cpu: 0.5, memory: 1600m}}
  taskManager: {{cpu: 0.5, memory: 1600m, slots: 2}}
{templates}"
    )
}
