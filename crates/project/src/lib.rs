#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod failure;
mod log;
mod objects;
mod standing;

pub use failure::{Failure, Part};
pub use log::essence;
pub use objects::{
    Build, CONTAINERS, HAND_OVER_PORT, LABEL_OPERATION, LABEL_PROJECT, PATH_HEADER, SHA256_HEADER,
    address, config_map, name, needed_keys, pod, settings_keys,
};
pub use standing::{Standing, standing};
