//! The whole path on real Flink, by the public command line. Needs root, Java 17, Python 3 with pip, and the
//! binary built beside this one.

mod bad_input;
mod main_job;
mod processes;
mod setup;
mod streaming;
