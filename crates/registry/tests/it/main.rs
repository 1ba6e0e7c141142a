//! The registry as a client sees it, over real HTTP.

mod blobs;
mod lists;
mod manifests;
mod server;
mod support;
