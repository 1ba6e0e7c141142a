#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod kubeconfig;
pub mod manifest;
pub mod needs;
pub mod quota;
pub mod rights;

pub use kubeconfig::{Chosen, Error, FileField, Kubeconfig, Portable};
