//! Orders for a SQL job, and the revenue that is right for them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result, ensure};

use crate::{random, results::files_below};

/// The orders are the same at every run.
const SEED: u64 = 0x0D_E4;
const PRODUCTS: u64 = 50;
const HOURS: u64 = 24;
const MAX_CENTS: u64 = 10_000;

/// What a group of orders comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    orders: u64,
    cents: u64,
}

/// Orders in a file, and what they come to.
#[derive(Debug)]
pub struct Orders {
    by_product_and_hour: BTreeMap<(String, u64), Sum>,
    by_product: BTreeMap<String, u64>,
}

impl Orders {
    /// Writes so many orders of one day to a CSV file, the same for the same number.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn generate(path: &Path, count: u64) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("could not create {}", path.display()))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let mut state = SEED;
        let mut orders = Self { by_product_and_hour: BTreeMap::new(), by_product: BTreeMap::new() };
        for id in 0..count {
            let second = id * HOURS * 3600 / count;
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            let product = format!("product-{}", random::next(&mut state) % PRODUCTS);
            let cents = 1 + random::next(&mut state) % MAX_CENTS;
            writeln!(out, "{id},{product},{cents},2026-03-01 {hour:02}:{minute:02}:{second:02}")?;
            let sum = orders.by_product_and_hour.entry((product.clone(), hour)).or_default();
            *sum = Sum { orders: sum.orders + 1, cents: sum.cents + cents };
            *orders.by_product.entry(product).or_default() += 1;
        }
        out.flush()?;
        Ok(orders)
    }

    /// Compares with what Flink wrote below the directory, in `revenue` and `products`.
    ///
    /// # Errors
    /// If a line is missing, is there twice or has other numbers.
    pub fn check(&self, directory: &Path) -> Result<()> {
        let revenue = self
            .by_product_and_hour
            .iter()
            .map(|((product, hour), sum)| format!("{product},{hour},{},{}", sum.orders, sum.cents));
        same(&directory.join("revenue"), revenue)?;
        let products = self.by_product.iter().map(|(product, count)| format!("{product},{count}"));
        same(&directory.join("products"), products)
    }
}

fn same(directory: &Path, expected: impl Iterator<Item = String>) -> Result<()> {
    let mut found = Vec::new();
    for file in files_below(directory)? {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("could not read {}", file.display()))?;
        found.extend(text.lines().map(ToOwned::to_owned));
    }
    found.sort();
    let mut expected: Vec<String> = expected.collect();
    expected.sort();
    let different = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    ensure!(
        found.len() == expected.len() && different.is_none(),
        "{} has {} lines, {} are right; the first that differs: {different:?}",
        directory.display(),
        found.len(),
        expected.len()
    );
    Ok(())
}

/// A script with two `INSERT`s that are one job: revenue by product and hour of event time, and orders by product.
pub const SCRIPT: &str = "-- Revenue of a day, by product and hour.
SET 'execution.runtime-mode' = 'batch';

CREATE TABLE orders (
  id BIGINT, product STRING, cents BIGINT, ordered_at TIMESTAMP(3),
  WATERMARK FOR ordered_at AS ordered_at - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'file:///data/input/orders.csv', 'format' = 'csv');

CREATE TABLE revenue (product STRING, hour_of_day BIGINT, orders BIGINT, cents BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'file:///data/output/revenue', 'format' = 'csv');

CREATE TABLE products (product STRING, orders BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'file:///data/output/products', 'format' = 'csv');

INSERT INTO revenue
SELECT product, EXTRACT(HOUR FROM window_start), COUNT(*), SUM(cents)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ordered_at), INTERVAL '1' HOUR))
GROUP BY product, window_start, window_end;

INSERT INTO products SELECT product, COUNT(*) FROM orders GROUP BY product;
";

/// The job file of that script, which lies beside it as `orders.sql`; `input` and `output` are the node's paths.
pub fn sql_job_file(name: &str, version: &str, (input, output): (&Path, &Path)) -> String {
    let (input, output) = (input.display(), output.display());
    format!(
        "name: {name}
environment: local
flinkVersion: {version}
kind: sql
artifact: orders.sql
parallelism: 2
resources:
  jobManager: {{cpu: 0.5, memory: 1g}}
  taskManager: {{cpu: 0.5, memory: 1g, slots: 2}}
podTemplates:
  common:
    spec:
      containers:
        - name: flink-main-container
          volumeMounts:
            - {{name: input, mountPath: /data/input, readOnly: true}}
            - {{name: output, mountPath: /data/output}}
      volumes:
        - {{name: input, hostPath: {{path: {input}, type: Directory}}}}
        - {{name: output, hostPath: {{path: {output}, type: DirectoryOrCreate}}}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_with_one_wrong_number_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("orders.csv");
        let orders = Orders::generate(&path, 10_000).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let cents: u64 =
            text.lines().map(|line| line.split(',').nth(2).unwrap().parse::<u64>().unwrap()).sum();
        assert_eq!(orders.by_product_and_hour.values().map(|sum| sum.cents).sum::<u64>(), cents);
        assert_eq!(orders.by_product.values().sum::<u64>(), 10_000);
        let lines = |name: &str, lines: Vec<String>| {
            fs::create_dir_all(directory.path().join(name)).unwrap();
            fs::write(directory.path().join(name).join("part-0"), lines.join("\n")).unwrap();
        };
        let revenue = |more| {
            let sums = orders.by_product_and_hour.iter();
            let line = |((product, hour), sum): ((&String, &u64), &Sum)| {
                format!("{product},{hour},{},{}", sum.orders, sum.cents + more)
            };
            sums.map(|((product, hour), sum)| line(((product, hour), sum))).collect::<Vec<_>>()
        };
        lines(
            "products",
            orders.by_product.iter().map(|(name, count)| format!("{name},{count}")).collect(),
        );
        lines("revenue", revenue(0));
        orders.check(directory.path()).unwrap();
        lines("revenue", revenue(1));
        assert!(orders.check(directory.path()).is_err());
    }
}
