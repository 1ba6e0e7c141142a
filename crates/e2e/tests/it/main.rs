//! The whole path on real Flink, by the public command line, and what Flink's own classes say to the files
//! and figures that go into it. Needs root, Java 17, Python 3 with pip, and the
//! binary built beside this one.

mod bad_input;
mod configuration_files;
mod documents;
mod drop_in;
mod flink_classes;
mod interventions;
mod main_job;
mod memory;
mod processes;
mod project_build;
mod python_job;
mod setup;
mod sql_job;
mod sql_runner;
mod storage;
mod streaming;
mod values;
mod versions;
