#![doc = include_str!("../README.md")]

mod cluster;
mod directory;
mod door;
mod error;
mod listen;
mod node;
mod settings;

pub use cluster::LocalCluster;
pub use door::Door;
pub use error::Error;
pub use settings::{Allocatable, Settings};
