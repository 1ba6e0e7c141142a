#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod arguments;
mod command;
mod error;
mod explain;
mod image;
mod jar;
mod layer_file;
mod maven;
mod offline;
mod progress;
mod registry;
mod render;
mod rows;
mod schema;
mod sql;

pub use arguments::JobArguments;
pub use command::{Command, Streams, run};
pub use error::Error;
pub use explain::Explain;
pub use image::{Append, BuildBase, Image, Inspect};
pub use jar::Jar;
pub use layer_file::LayerFile;
pub use maven::{Fetch, Maven, Tree};
pub use registry::{Check, Registry};
pub use render::Render;
pub use schema::Schema;
pub use sql::Sql;
