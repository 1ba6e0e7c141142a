#![doc = include_str!("../README.md")]

mod examples;
mod flumen;
mod orders;
pub mod processes;
mod pyflink;
mod random;
mod remains;
mod results;
mod streaming;
mod word_count;

pub use examples::{connector_jar, example_jar, tried_versions, write_program};
pub use flumen::{Answer, Flumen, command};
pub use orders::{Orders, SCRIPT, sql_job_file};
pub use pyflink::{
    pyflink_packages, python_job_file, write_python_program, write_script_with_function,
};
pub use remains::Remains;
pub use streaming::{Streaming, StreamingStep};
pub use word_count::{WordCount, job_file};
