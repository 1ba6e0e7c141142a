//! The API over a real control with a database of its own; no cluster is reached.

mod artifacts;
mod database;
mod document;
mod environments;
mod orders;
mod preparations;
mod problems;
mod projects;
mod releases;
mod server;
mod snapshots;
mod things;
mod ui;
