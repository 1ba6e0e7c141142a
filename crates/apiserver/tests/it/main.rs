//! The API server as its clients see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bodies;
mod crash;
mod disk;
mod errors;
mod events;
mod harness;
mod hostile;
mod limits;
mod lists;
mod logs;
mod objects;
mod patches;
mod pods;
mod proxy;
mod roles;
mod security;
mod services;
mod watches;
mod web_socket;
