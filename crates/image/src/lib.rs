#![doc = include_str!("../README.md")]

mod client;
mod credential;
mod error;
mod hashing;
mod media_type;
mod progress;
mod reference;
mod settings;

pub use client::{Client, Image};
pub use credential::Credential;
pub use error::Error;
pub use flumen_model::Digest;
pub use oci_spec::image::{Descriptor, ImageConfiguration, ImageManifest, MediaType};
pub use progress::Progress;
pub use reference::Reference;
pub use settings::{Platform, Retry, Settings};
