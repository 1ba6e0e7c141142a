//! The kubelet's parts against the real kernel; needs root, as the kubelet does for now.

mod cluster;
mod death;
mod life;
mod network;
mod sandbox;
mod workshop;
