//! The pods of this node.

mod backoff;
mod decide;
mod state;
mod status;
