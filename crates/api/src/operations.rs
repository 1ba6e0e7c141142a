//! Operations: what was done, step by step.

mod follow;
mod list;
mod show;

pub(crate) use follow::*;
pub(crate) use list::*;
pub(crate) use show::*;
