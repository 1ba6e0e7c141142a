//! Operations: what was done, step by step.

mod cancel;
mod follow;
mod list;
mod show;

pub(crate) use cancel::*;
pub(crate) use follow::*;
pub(crate) use list::*;
pub(crate) use show::*;
