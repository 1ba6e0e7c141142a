use flumen_api_types as api;
use flumen_control as control;

/// An operation; a kind that is not known, which only a later version could have written, is shown as
/// applying.
pub(crate) fn operation(operation: control::Operation) -> api::Operation {
    let kind = kind(&operation.kind);
    let is_version =
        matches!(kind, api::OperationKind::AddVersion | api::OperationKind::RemoveVersion);
    let job = operation.environment.filter(|_| !is_version).and_then(|environment| {
        Some(api::JobReference { environment, name: operation.subject.parse().ok()? })
    });
    let version = if is_version { operation.subject.parse().ok() } else { None };
    api::Operation {
        id: operation.id,
        kind,
        job,
        version,
        state: state(operation.state),
        created_at: operation.created_at,
        created_by: Some(operation.principal),
        finished_at: operation.finished_at,
        steps: operation.steps.into_iter().map(step).collect(),
        error: operation.error.map(failure),
    }
}

fn kind(text: &str) -> api::OperationKind {
    match text {
        "start" => api::OperationKind::Start,
        "stop" => api::OperationKind::Stop,
        "cancel" => api::OperationKind::Cancel,
        "restart" => api::OperationKind::Restart,
        "savepoint" => api::OperationKind::Savepoint,
        "delete" => api::OperationKind::Delete,
        "addVersion" => api::OperationKind::AddVersion,
        "removeVersion" => api::OperationKind::RemoveVersion,
        _ => api::OperationKind::Apply,
    }
}

const fn state(state: control::OperationState) -> api::OperationState {
    match state {
        control::OperationState::Running => api::OperationState::Running,
        control::OperationState::Succeeded => api::OperationState::Succeeded,
        control::OperationState::Failed => api::OperationState::Failed,
        control::OperationState::Superseded => api::OperationState::Superseded,
    }
}

fn step(step: control::Step) -> api::Step {
    let state = match step.state {
        control::StepState::Running => api::StepState::Running,
        control::StepState::Succeeded => api::StepState::Succeeded,
        control::StepState::Failed => api::StepState::Failed,
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
    api::Failure { message, code: None, causes: Vec::new(), hint: None }
}
