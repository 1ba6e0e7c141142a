#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod check;
mod file;
mod licence;
mod names;

pub use check::{Artifact, Findings, Refusal, Subject};
pub use file::{DeniedArtifact, Error, Licences, Policy, Unknown};
pub use licence::{Choice, Declared, Licence};
