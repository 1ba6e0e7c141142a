#![doc = include_str!("../README.md")]

mod cluster;
mod directory;
mod error;
mod listen;
mod node;
mod settings;

pub use cluster::LocalCluster;
pub use error::Error;
pub use settings::{Allocatable, Settings};
