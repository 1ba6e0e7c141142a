#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod bucket;
mod client;
mod error;

pub use bucket::{Bucket, Keys};
pub use error::{Cause, Error};
