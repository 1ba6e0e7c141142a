#![doc = include_str!("../README.md")]

mod base_image;
mod cache;
mod distribution;
mod error;
mod host_directories;
mod java;
mod pyflink;
mod python;

pub use base_image::{BaseImage, Configuration, Content, ImageFile, PYTHON_PACKAGES};
pub use distribution::Distribution;
pub use error::Error;
pub use host_directories::HOST_DIRECTORIES_LABEL;
pub use java::{Java, find_java};
pub use pyflink::PyFlink;
pub use python::{Settings, cached, download};
