//! The crate against what Flink's own classes computed, in all fourteen minors.

mod memory;
mod recorded;
mod values;
mod write;
