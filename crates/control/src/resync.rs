//! What another server on the same database wished for or began is taken up here too.

use std::{collections::HashMap, time::Duration};

use flumen_model::JobId;
use tokio_util::sync::CancellationToken;

use crate::{Control, Error, builds, preparations};

/// How often the jobs' versions are compared; one short query, whatever their number.
const EVERY: Duration = Duration::from_secs(5);

/// Wakes the jobs that users changed since the last look, and takes up what is to be prepared or built, until told to stop.
pub(crate) async fn run(control: Control, stop: CancellationToken) {
    let mut known = HashMap::new();
    loop {
        if let Err(error) = look(&control, &mut known).await {
            tracing::warn!(error = error.paragraph(), "the jobs could not be looked through");
        }
        if let Err(error) = preparations::take_up(&control).await {
            tracing::warn!(
                error = error.paragraph(),
                "the preparations could not be looked through"
            );
        }
        if let Err(error) = builds::take_up(&control).await {
            tracing::warn!(error = error.paragraph(), "the builds could not be looked through");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn look(control: &Control, known: &mut HashMap<JobId, i64>) -> Result<(), Error> {
    let versions = control.store().job_versions().await?;
    for (id, version) in &versions {
        if known.get(id) != Some(version) {
            control.wakes().wake(*id);
        }
    }
    *known = versions.into_iter().collect();
    Ok(())
}
