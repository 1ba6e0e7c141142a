//! The registry as a client sees it, over real HTTP.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod blobs;
mod lists;
mod manifests;
mod server;
mod support;
