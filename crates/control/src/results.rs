//! How runs ended by the file that Flink leaves in its storage, which is there also when no JobManager
//! answers any more.

use flumen_lifecycle::Outcome;
use flumen_model::{ClusterId, EnvironmentName};
use flumen_store::{Run, Store};

use crate::{Error, storage};

/// None where there is no result, or where Flumen cannot look.
pub(crate) async fn left(
    store: &Store,
    environment: &EnvironmentName,
    cluster: &ClusterId,
    run: &Run,
) -> Result<Option<Outcome>, Error> {
    let Some(directory) = run.plan.as_ref().and_then(|plan| plan.high_availability.as_deref())
    else {
        return Ok(None);
    };
    let environment = store.environment(environment).await?;
    let files = environment.and_then(|environment| storage::files(&environment.document));
    let Some(files) = files else { return Ok(None) };
    Ok(files.outcome(directory, cluster, run.id).await)
}
