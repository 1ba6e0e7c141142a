//! The server side against the real API server, controllers and registry of the local cluster. There is no
//! JVM: a stand-in does a node's part, and a fake JobManager answers.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod apply;
mod base_images;
mod build_node;
mod by_url;
mod checks;
mod cluster_access;
mod cluster_check;
mod clusters;
mod database;
mod delivery;
mod dependencies;
mod ends;
mod explanations;
mod fetch_from;
mod interventions;
mod kills;
mod launcher;
mod node;
mod outages;
mod policy;
mod preparations;
mod private_registry;
mod project_kills;
mod projects;
mod python;
mod retention;
mod sbom;
mod server;
mod snapshots;
mod sql;
mod starts;
mod storage;
mod survives;
mod trouble;
mod two_servers;
mod world;
