#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod configuration;
mod dependencies;
mod error;
mod fields;
mod job;
mod json;
mod node;
mod parse;
mod python;
mod schema;
mod script_check;
mod variables;
mod yaml;

pub use error::{Error, Problem};
pub use parse::parse;
pub use schema::schema;
pub use script_check::ScriptCheck;
