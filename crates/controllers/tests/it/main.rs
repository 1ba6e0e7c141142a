//! The controllers on a real API server, with a node that only pretends to run pods.

#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

mod cluster;
mod deployments;
mod garbage;
mod namespaces;
mod nodes;
mod quotas;
mod scheduling;
mod services;
