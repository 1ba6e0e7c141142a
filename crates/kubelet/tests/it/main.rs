//! The kubelet's parts against the real kernel; needs root, as the kubelet does for now.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod claims;
mod cluster;
mod death;
mod exec;
mod forward;
mod guarded;
mod hostile;
mod keyring;
mod life;
mod limits;
mod network;
mod nodes;
mod probes;
mod pulls;
mod read_only;
mod sandbox;
mod separate;
mod sidecars;
mod spdy;
mod web_socket;
mod workshop;
