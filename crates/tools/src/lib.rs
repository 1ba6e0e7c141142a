#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod arguments;
mod command;
mod error;
mod explain;
mod offline;
mod render;

pub use arguments::JobArguments;
pub use command::{Command, Streams, run};
pub use error::Error;
pub use explain::Explain;
pub use render::Render;
