//! How runs ended by the file that Flink leaves in its storage, which is there also when no JobManager
//! answers any more.

use flumen_lifecycle::Outcome;
use flumen_model::{ClusterId, EnvironmentName};
use flumen_store::Run;

use crate::{Error, storage::Storages};

/// None where there is no result, or where Flumen cannot look.
pub(crate) async fn left(
    storages: &Storages,
    environment: &EnvironmentName,
    cluster: &ClusterId,
    run: &Run,
) -> Result<Option<Outcome>, Error> {
    let Some(directory) = run.plan.as_ref().and_then(|plan| plan.high_availability.as_deref())
    else {
        return Ok(None);
    };
    let Some(files) = storages.of(environment).await?.files() else { return Ok(None) };
    files.outcome(directory, cluster, run.id).await
}
