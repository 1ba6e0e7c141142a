#![doc = include_str!("../README.md")]

mod access;
mod cluster;
mod control_plane;
mod directory;
mod door;
mod error;
mod kubernetes;
mod listen;
mod node;
mod objects;
mod passage;
mod settings;

pub use cluster::LocalCluster;
pub use door::Door;
pub use error::Error;
pub use flumen_kubelet::enter_user_namespace;
pub use settings::{Allocatable, Settings};
