#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod archive;
mod client;
mod error;
mod html;
mod listing;
mod metadata;
mod requirements;
mod resolve;
mod tags;
mod target;
mod transport;
mod unpack;

pub use archive::{Contents, is_archive, read as read_archive};
pub use client::{Client, Progress, Resolution, Wheel};
pub use error::Error;
pub use requirements::{Wanted, parse as parse_requirements};
pub use tags::wheel_package;
pub use unpack::unpack;

/// The index that everyone has.
pub const PUBLIC_INDEX: &str = "https://pypi.org/simple";
