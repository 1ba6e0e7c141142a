#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod actions;
mod artifacts;
mod client_files;
mod command_line;
mod connect;
mod deploy;
mod effective;
mod endpoint;
mod error;
mod flink;
mod help;
mod home;
mod job_manager;
mod options;
mod program;
mod report;
mod session;
mod surroundings;
mod yarn;

use error::Error;

pub use flink::{Program, run};
pub use help::option_tables;
pub use surroundings::Surroundings;
