//! Jobs: one file per verb.

mod apply;
mod cancel;
mod delete;
mod events;
mod list;
mod logs;
mod open_ui;
mod releases;
mod runs;
mod show;
mod start;

pub(crate) use apply::*;
pub(crate) use cancel::*;
pub(crate) use delete::*;
pub(crate) use events::*;
pub(crate) use list::*;
pub(crate) use logs::*;
pub(crate) use open_ui::*;
pub(crate) use releases::*;
pub(crate) use runs::*;
pub(crate) use show::*;
pub(crate) use start::*;
