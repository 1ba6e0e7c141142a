//! The crate against what Flink's own classes computed, in all fourteen minors.

mod check;
mod configuration;
mod layers;
mod memory;
mod read;
mod recorded;
mod values;
mod write;
