//! The controllers on a real API server, with a node that only pretends to run pods.

mod cluster;
mod deployments;
mod garbage;
mod namespaces;
mod scheduling;
mod services;
