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
pub(crate) use runs::*;
pub(crate) use savepoint::*;
pub(crate) use show::*;
pub(crate) use start::*;
pub(crate) use stop::*;

use flumen_control::Principal;
use flumen_model::JobSpec;

use crate::{
    error::Error,
    extract::{IfMatch, JobPath},
    state::Api,
};

/// Refuses a request whose caller saw another version of the job than there is. A repetition is let
/// through: the request itself changed the version when it came first.
async fn admit(
    api: &Api,
    principal: &Principal,
    path: &JobPath,
    expected: IfMatch,
    key: Option<&(String, String)>,
) -> Result<(), Error> {
    if expected == IfMatch(None) || api.control.replayed(principal, key).await?.is_some() {
        return Ok(());
    }
    let (environment, name) = path.name();
    let version = api.control.job(principal, environment, name).await?.job.version;
    expected
        .check(format!("the job {}", path.reference()), u64::try_from(version).unwrap_or_default())
}

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
