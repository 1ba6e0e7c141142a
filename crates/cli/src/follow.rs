//! Follows an operation to its end, printing each step as it ends.

use std::{pin::pin, time::Duration};

use flumen_api_types::{Operation, OperationKind, OperationState, Step, StepState};
use flumen_model::OperationId;
use futures::StreamExt as _;
use reqwest::Method;

use crate::{
    Error, Tone,
    client::{Client, events},
    commands::Context,
    printer::{Printer, Progress},
    text,
};

mod patience;

pub(crate) use patience::{Deadline, patiently, within};

const PAUSE: Duration = Duration::from_millis(500);

/// Follows the operation until it has ended. A failed one is an error.
pub(crate) async fn operation(
    context: &Context<'_>,
    operation: Operation,
    deadline: Option<Deadline>,
) -> Result<Operation, Error> {
    further(context, operation, 0, deadline).await
}

/// As [`operation`], of which so many steps were printed before.
pub(crate) async fn further(
    context: &Context<'_>,
    operation: Operation,
    printed: usize,
    deadline: Option<Deadline>,
) -> Result<Operation, Error> {
    let end = |operation: &Operation| operation.state.has_ended();
    succeeded(until(context, (operation, printed), end, deadline).await?)
}

/// Follows the operation of an apply until it has made its release, and says how many steps were printed. One that makes
/// none is an error.
pub(crate) async fn release(
    context: &Context<'_>,
    operation: Operation,
    deadline: Option<Deadline>,
) -> Result<(Operation, usize), Error> {
    let made = |operation: &Operation| operation.applied.is_some() || operation.state.has_ended();
    let operation = until(context, (operation, 0), made, deadline).await?;
    let printed = operation.steps.iter().take_while(|step| step.state.has_ended()).count();
    let operation = if operation.applied.is_some() { operation } else { succeeded(operation)? };
    Ok((operation, printed))
}

/// The operation, unless it failed or was given up.
fn succeeded(ended: Operation) -> Result<Operation, Error> {
    let what = describe(&ended);
    let step = ended.steps.iter().find(|step| step.state == StepState::Failed);
    match (ended.state, ended.error.clone().or_else(|| step?.error.clone())) {
        (OperationState::Failed, Some(failure)) => Err(Error::Operation {
            what,
            step: step.map(|step| step.name.clone()),
            failure: Box::new(failure),
        }),
        (OperationState::Superseded | OperationState::Failed, _) => Err(Error::Superseded { what }),
        (OperationState::Canceled, _) => Err(Error::Canceled { what }),
        (OperationState::Running | OperationState::Succeeded, _) => Ok(ended),
    }
}

/// What an operation does, as the beginning of a sentence.
pub(crate) fn describe(operation: &Operation) -> String {
    let verb = match operation.kind {
        OperationKind::Apply => "applying",
        OperationKind::Start => "starting",
        OperationKind::Stop => "stopping",
        OperationKind::Cancel => "cancelling",
        OperationKind::Restart => "restarting",
        OperationKind::Savepoint => "taking a savepoint of",
        OperationKind::Delete => "deleting",
        OperationKind::AddVersion => "adding",
        OperationKind::BuildProject => "building",
    };
    match (&operation.job, operation.version, &operation.project) {
        (Some(job), ..) => format!("{verb} the job {job}"),
        (None, Some(version), _) => format!("{verb} Flink {version}"),
        (None, None, Some(project)) => format!("{verb} the project {project}"),
        (None, None, None) => format!("the operation {}", operation.id),
    }
}

async fn until(
    context: &Context<'_>,
    (operation, printed): (Operation, usize),
    enough: impl Fn(&Operation) -> bool,
    deadline: Option<Deadline>,
) -> Result<Operation, Error> {
    let what = describe(&operation);
    let look = format!("flumen operation show {}", operation.id);
    let follow = async {
        let progress = context.printer.progress();
        let mut steps = Steps { printer: &context.printer, progress: &progress, printed };
        let id = operation.id;
        steps.show(&operation);
        let mut last = operation;
        while !enough(&last) {
            let follow = async || follow_once(&context.client, id, &mut steps, &enough).await;
            last = patiently(&progress, follow).await?;
        }
        Ok(last)
    };
    within(deadline, what, look, follow).await
}

/// Follows one stream of events to its end, then asks for the operation as it is.
async fn follow_once(
    client: &Client,
    id: OperationId,
    steps: &mut Steps<'_>,
    enough: &impl Fn(&Operation) -> bool,
) -> Result<Operation, Error> {
    let action = || format!("follow the operation {id}");
    let id = id.to_string();
    let response =
        client.call(Method::GET, action(), &["operations", &id, "events"]).send().await?;
    let mut events = pin!(events::<Operation>(response));
    while let Some(operation) = events.next().await {
        steps.show(&operation);
        if enough(&operation) {
            return Ok(operation);
        }
    }
    let operation: Operation = client.get(action(), &["operations", &id], &()).await?;
    steps.show(&operation);
    if !enough(&operation) {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(operation)
}

struct Steps<'a> {
    printer: &'a Printer,
    progress: &'a Progress,
    printed: usize,
}

impl Steps<'_> {
    fn show(&mut self, operation: &Operation) {
        while let Some(step) =
            operation.steps.get(self.printed).filter(|step| step.state.has_ended())
        {
            self.progress.line(line(step, self.printer));
            self.printed += 1;
        }
        if let Some(step) = operation.steps.get(self.printed) {
            let detail =
                step.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
            self.progress.say(format!("{}{detail}", step.name));
        }
    }
}

/// A step that has ended, in one line.
fn line(step: &Step, printer: &Printer) -> String {
    let (mark, tone) = match step.state {
        StepState::Failed => ("✗", Tone::Bad),
        StepState::Skipped => ("-", Tone::Quiet),
        StepState::Running | StepState::Succeeded => ("✓", Tone::Good),
    };
    let took = match (step.started_at, step.finished_at) {
        (Some(from), Some(to)) => text::duration(text::between(from, to)),
        _ => String::new(),
    };
    let detail = step.detail.as_deref().unwrap_or_default();
    let shown = format!("  {} {:<34} {took:>10}  {detail}", printer.paint(mark, tone), step.name);
    shown.trim_end().to_owned()
}
