//! Jobs: one file per verb.

mod apply;
mod cancel;
mod delete;
mod diff;
mod events;
mod list;
mod logs;
mod open_ui;
mod releases;
mod restart;
mod roll_back;
mod runs;
mod savepoint;
mod show;
mod start;
mod stop;

pub(crate) use apply::*;
pub(crate) use cancel::*;
pub(crate) use delete::*;
pub(crate) use diff::*;
pub(crate) use events::*;
pub(crate) use list::*;
pub(crate) use logs::*;
pub(crate) use open_ui::*;
pub(crate) use releases::*;
pub(crate) use restart::*;
pub(crate) use roll_back::*;
pub(crate) use runs::*;
pub(crate) use savepoint::*;
pub(crate) use show::*;
pub(crate) use start::*;
pub(crate) use stop::*;

use flumen_model::JobSpec;

use crate::{error::Error, extract::JobPath};

/// Refuses a job file that is of another job than the address.
fn check_same(path: &JobPath, spec: &JobSpec) -> Result<(), Error> {
    same("environment", path.environment.as_str(), spec.environment.as_str())?;
    same("job", path.job.as_str(), spec.name.as_str())
}

fn same(what: &'static str, address: &str, body: &str) -> Result<(), Error> {
    if address == body {
        return Ok(());
    }
    Err(Error::Mismatch { what, address: address.to_owned(), body: body.to_owned() })
}
