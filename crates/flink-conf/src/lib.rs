#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod catalogue;
mod check;
mod configuration;
mod error;
pub mod feature;
mod flatten;
mod format;
pub mod java;
mod layers;
mod memory;
mod read;
mod sensitive;
mod value;
mod values;
mod write;
mod yaml;

pub use catalogue::{Catalogue, FlinkOption, Match, ValueType};
pub use check::{Finding, Problem, Severity, Strictness, check};
pub use configuration::Configuration;
pub use error::Error;
pub use feature::Feature;
pub use flatten::flatten;
pub use format::ConfigurationFormat;
pub use layers::{Effective, Entry, Explanation, Layer, Layers, Overridden, Source};
pub use memory::{
    JobManagerMemory, MemoryError, Role, TaskManagerMemory, job_manager_memory, task_manager_memory,
};
pub use read::{ParsedFile, SkippedLine, parse_configuration_file};
pub use sensitive::{HIDDEN, is_sensitive, shown as shown_value};
pub use value::Value;
pub use values::{
    duration::{parse_duration, render_duration},
    size::{parse_size, render_size},
    structured::{parse_list, parse_list_of_maps, parse_map},
};
pub use write::{ConfigurationFile, Loss, render_configuration_file};
