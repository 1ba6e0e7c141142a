use flumen_api_types as api;
use flumen_control as control;

use super::change;
use crate::{error::Error, state::Api};

/// The most snapshots of a job that are looked through for one.
const DEPTH: u32 = 10_000;

pub(crate) fn operation(operation: control::Operation) -> api::Operation {
    let subject = &operation.subject;
    let (mut job, mut version, mut project) = (None, None, None);
    match operation.kind {
        control::OperationKind::AddVersion => version = subject.parse().ok(),
        control::OperationKind::BuildProject => project = subject.parse().ok(),
        _ => {
            job = operation.environment.and_then(|environment| {
                Some(api::JobReference { environment, name: subject.parse().ok()? })
            });
        }
    }
    api::Operation {
        id: operation.id,
        kind: kind(operation.kind),
        job,
        version,
        project,
        state: state(operation.state),
        created_at: operation.created_at,
        created_by: Some(operation.principal),
        finished_at: operation.finished_at,
        steps: operation.steps.into_iter().map(step).collect(),
        error: operation.refusal.map(refusal).or(operation.error.map(failure)),
        savepoint: None,
        applied: operation.outcome.map(|outcome| api::AppliedChange {
            change: change(outcome.change),
            warnings: outcome.warnings,
        }),
    }
}

/// The operation with the place of the savepoint that it took.
pub(crate) async fn with_savepoint(
    api: &Api,
    principal: &control::Principal,
    known: control::Operation,
) -> Result<api::Operation, Error> {
    let mut shown = operation(known);
    let takes_one = matches!(
        shown.kind,
        api::OperationKind::Stop
            | api::OperationKind::Savepoint
            | api::OperationKind::Restart
            | api::OperationKind::Apply
    );
    if let Some(job) = shown.job.as_ref().filter(|_| takes_one && shown.state.has_ended()) {
        let job = (&job.environment, &job.name);
        let snapshots = match api.control.snapshots(principal, Some(job), None, DEPTH).await {
            // The job may have been deleted since.
            Err(control::Error::NotFound { .. }) => Vec::new(),
            other => other?,
        };
        let taken = snapshots.into_iter().find(|one| one.operation == Some(shown.id));
        shown.savepoint = taken.map(|snapshot| snapshot.path);
    }
    Ok(shown)
}

const fn kind(kind: control::OperationKind) -> api::OperationKind {
    match kind {
        control::OperationKind::Apply => api::OperationKind::Apply,
        control::OperationKind::Start => api::OperationKind::Start,
        control::OperationKind::Stop => api::OperationKind::Stop,
        control::OperationKind::Cancel => api::OperationKind::Cancel,
        control::OperationKind::Restart => api::OperationKind::Restart,
        control::OperationKind::Savepoint => api::OperationKind::Savepoint,
        control::OperationKind::Delete => api::OperationKind::Delete,
        control::OperationKind::AddVersion => api::OperationKind::AddVersion,
        control::OperationKind::BuildProject => api::OperationKind::BuildProject,
    }
}

pub(super) const fn state(state: control::OperationState) -> api::OperationState {
    match state {
        control::OperationState::Running => api::OperationState::Running,
        control::OperationState::Succeeded => api::OperationState::Succeeded,
        control::OperationState::Failed => api::OperationState::Failed,
        control::OperationState::Superseded => api::OperationState::Superseded,
        control::OperationState::Canceled => api::OperationState::Canceled,
    }
}

fn step(step: control::Step) -> api::Step {
    let state = match step.state {
        control::StepState::Running => api::StepState::Running,
        control::StepState::Succeeded => api::StepState::Succeeded,
        control::StepState::Failed => api::StepState::Failed,
        control::StepState::Skipped => api::StepState::Skipped,
    };
    api::Step {
        name: step.name,
        state,
        started_at: Some(step.started_at),
        finished_at: step.finished_at,
        detail: step.detail,
        error: step.error.map(failure),
    }
}

const fn failure(message: String) -> api::Failure {
    api::Failure { message, kind: None, code: None, causes: Vec::new(), hint: None }
}

fn refusal(refusal: control::Refusal) -> api::Failure {
    let control::Refusal { kind, code, message, causes, hint } = refusal;
    api::Failure { message, kind: Some(kind), code: Some(code), causes, hint }
}
