#![doc = include_str!("../README.md")]

mod claim;
mod clock;
mod deployment;
mod endpoints;
mod error;
mod events;
mod eviction;
mod facts;
mod garbage;
mod hub;
mod kinds;
mod namespace;
mod node;
mod pod_garbage;
mod queue;
mod quota;
mod reduce;
mod replica_set;
mod roles;
mod run;
mod scheduler;
mod selector;
mod service_account;
mod services;
mod settings;
mod slices;
mod volumes;
mod watch;
#[cfg(test)]
mod wire;
mod world;

pub use error::{Error, Verb};
pub use run::{spawn, spawn_scheduler};
pub use settings::Settings;
