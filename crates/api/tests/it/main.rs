//! The API over a real control with a database of its own; no cluster is reached.

mod artifacts;
mod clusters;
mod database;
mod document;
mod environments;
mod orders;
mod preparations;
mod problems;
mod projects;
mod releases;
mod secrets;
mod server;
mod snapshots;
mod sql;
mod things;
mod ui;
