#![doc = include_str!("../README.md")]

mod examples;
mod flumen;
pub mod processes;
mod remains;
mod word_count;

pub use examples::{EXAMPLES_RELEASES, example_jar};
pub use flumen::{Answer, Flumen};
pub use remains::Remains;
pub use word_count::{WordCount, job_file};
