//! The API over a real control with a database of its own; no cluster is reached.

mod artifacts;
mod document;
mod problems;
mod server;
mod things;
mod ui;
