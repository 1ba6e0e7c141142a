#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod catalogue;
mod configuration;
mod error;
mod format;
pub mod java;
mod memory;
mod read;
mod sensitive;
mod value;
mod values;
mod write;
mod yaml;

pub use catalogue::{Catalogue, FlinkOption, Match, ValueType};
pub use configuration::Configuration;
pub use error::Error;
pub use format::ConfigurationFormat;
pub use memory::{
    JobManagerMemory, MemoryError, Role, TaskManagerMemory, job_manager_memory, task_manager_memory,
};
pub use sensitive::is_sensitive;
pub use value::Value;
pub use values::{
    duration::{parse_duration, render_duration},
    size::{parse_size, render_size},
    structured::{parse_list, parse_list_of_maps, parse_map},
};
pub use write::{ConfigurationFile, Loss, render_configuration_file};
