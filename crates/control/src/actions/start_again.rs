use flumen_lifecycle::{Desired, Handover, Intent, next_run};
use flumen_model::{RunId, StartFrom};
use flumen_store::{Job, NewJob, OperationKind, RunStart};

use super::Done;
use crate::{
    Control, Error,
    jobs::{new_operation, new_run},
};

/// Whom the operations of the restart policy are by.
const BY: &str = "restart policy";

/// Writes down the run that follows the failed one, and wishes for it; both or neither.
pub(super) async fn start_again(control: &Control, job: &Job, run: RunId) -> Result<Done, Error> {
    // What users wished for meanwhile counts more.
    let Some(mut job) = control.store().job(job.id).await? else { return Ok(Done::default()) };
    let still = matches!(job.desired.intent, Intent::Run { run: wanted, .. } if wanted == run);
    let Some(next) = next_run(&job.desired, &job.status).filter(|_| still) else {
        return Ok(Done::default());
    };
    let before = control.store().run(run).await?;
    let start = RunStart {
        from: StartFrom::Latest,
        ..before.map(|before| before.start).unwrap_or_default()
    };
    let operation = new_operation((job.team, BY), &job, OperationKind::Restart);
    let run = new_run(&job, start);
    let intent = Intent::Run { run: run.id, handover: Handover::Cancel };
    job.desired = Desired {
        intent,
        operation: Some(operation.id),
        savepoint: None,
        attempt: next.attempt,
        ..job.desired
    };
    let new = NewJob {
        job: &job,
        release: None,
        run: Some(&run),
        operation: Some(&operation),
        key: None,
        preparation: None,
        ends_preparation: false,
    };
    control.write_down(&new).await?;
    Ok(Done::with(format!("attempt {} of {}", next.attempt, next.attempts)))
}
