//! The pods of this node.

mod backoff;
mod decide;
mod state;
mod status;

pub(crate) use status::time;
mod container;
mod node;
mod sandbox;
