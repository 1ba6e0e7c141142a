//! Whole clusters, each in a process of its own, with pods that are processes of this machine.

#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

mod cluster;
mod image;
mod kubectl;
mod leftovers;
mod lifetime;
mod nodes;
mod ordinary_user;
mod pods;
mod refusals;
mod services;
