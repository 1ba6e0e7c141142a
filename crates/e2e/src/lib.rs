#![doc = include_str!("../README.md")]

mod database;
mod examples;
mod flumen;
mod job_file;
mod kubectl;
mod orders;
mod payment_fee;
pub mod processes;
mod pyflink;
mod random;
mod remains;
mod results;
mod sql;
mod streaming;
mod word_count;

pub use database::{DATABASE_SCRIPT, Database, base_image, database_job_file};
pub use examples::{connector_jar, example_jar, tried_versions, write_program};
pub use flumen::{Answer, CPU_LIMITS, Flumen, command};
pub use kubectl::{apply_objects, kubectl};
pub use orders::Orders;
pub use payment_fee::payment_fee_jar;
pub use pyflink::{
    pyflink_packages, python_job_file, write_python_program, write_script_with_function,
};
pub use remains::Remains;
pub use sql::{SCRIPT, sql_job_file};
pub use streaming::{Streaming, StreamingStep};
pub use word_count::{WordCount, job_file};
