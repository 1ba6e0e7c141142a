//! The kubelet's parts against the real kernel; needs root, as the kubelet does for now.

mod sandbox;
mod workshop;
