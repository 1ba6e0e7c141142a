#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod range;
mod version;

pub use range::{Constraint, NoRange, Range};
pub use version::Version;
