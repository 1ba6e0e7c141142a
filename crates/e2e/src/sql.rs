//! A job that is a script in SQL, over orders.

use std::path::Path;

use crate::job_file::Pods;

/// A script with two `INSERT`s that are one job: revenue and fees by payment in windows of event time, and orders by product. The
/// function is that of [`payment_fee_jar`](crate::payment_fee_jar).
pub const SCRIPT: &str = "-- Revenue and fees of a day, by ten minutes and payment.
SET 'execution.runtime-mode' = 'batch';

CREATE FUNCTION payment_fee AS 'flumen.example.PaymentFee' LANGUAGE JAVA;

CREATE TABLE orders (
  id BIGINT, product STRING, payment STRING, amount DECIMAL(10, 2), ordered_at TIMESTAMP(3),
  WATERMARK FOR ordered_at AS ordered_at - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'file:///data/input/orders.csv', 'format' = 'csv');

-- Sums as text: a file in CSV would have 280.00 as 2.8E+2.
CREATE TABLE revenue (ten_minutes STRING, payment STRING, orders BIGINT, amount STRING, fees STRING)
WITH ('connector' = 'filesystem', 'path' = 'file:///data/output/revenue', 'format' = 'csv');

CREATE TABLE products (product STRING, orders BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'file:///data/output/products', 'format' = 'csv');

INSERT INTO revenue
SELECT DATE_FORMAT(window_start, 'HH:mm'), payment, COUNT(*),
  CAST(SUM(amount) AS STRING), CAST(SUM(payment_fee(payment, amount)) AS STRING)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ordered_at), INTERVAL '10' MINUTE))
GROUP BY payment, window_start, window_end;

INSERT INTO products SELECT product, COUNT(*) FROM orders GROUP BY product;
";

/// The job file of that script, which lies beside it as `orders.sql`, with the jar of the function as `payment-fee.jar`; the paths are
/// the node's.
pub fn sql_job_file(name: &str, version: &str, paths: (&Path, &Path)) -> String {
    let templates = Pods::new(paths).templates();
    format!(
        "name: {name}
environment: local
flinkVersion: {version}
kind: sql
artifact: orders.sql
dependencies:
  - path: payment-fee.jar
parallelism: 2
resources:
  jobManager: {{cpu: 0.5, memory: 1g}}
  taskManager: {{cpu: 0.5, memory: 1g, slots: 2}}
{templates}"
    )
}
