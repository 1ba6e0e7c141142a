//! Downloads with a Python that is not one, base images of homes that are made up, and the entry point as a process.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod base_image;
mod distribution;
mod download;
mod entry_point;
mod support;
