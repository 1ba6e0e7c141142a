//! What this crate renders, held against what real Flink clients created.

mod case;
mod compare;
mod golden;
mod renders;
mod stored;
mod versions;
