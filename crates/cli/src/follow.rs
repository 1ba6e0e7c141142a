//! Follows an operation to its end, printing each step as it ends.

use std::{pin::pin, time::Duration};

use flumen_api_types::{Operation, OperationKind, OperationState, Step, StepProgress, StepState};
use flumen_model::OperationId;
use futures::StreamExt as _;
use reqwest::Method;
use tokio::time::Instant;

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

/// How often it is said how far a step is where no terminal shows it.
const OCCASION: Duration = Duration::from_secs(10);

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
        let mut steps = Steps::new(&context.printer, &progress, printed);
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
    /// When a line was printed last.
    told: Instant,
}

impl<'a> Steps<'a> {
    fn new(printer: &'a Printer, progress: &'a Progress, from: usize) -> Self {
        Self { printer, progress, printed: from, told: Instant::now() }
    }

    fn show(&mut self, operation: &Operation) {
        while let Some(step) =
            operation.steps.get(self.printed).filter(|step| step.state.has_ended())
        {
            self.progress.line(line(step, self.printer));
            self.printed += 1;
            self.told = Instant::now();
        }
        let Some(step) = operation.steps.get(self.printed) else { return };
        let detail = step.progress.as_ref().map(how_far).or_else(|| step.detail.clone());
        let Some(detail) = detail else { return self.progress.say(step.name.as_str()) };
        let text = format!("{}: {detail}", step.name);
        if !self.printer.is_interactive() && self.told.elapsed() >= OCCASION {
            self.progress.line(format!("  … {text}"));
            self.told = Instant::now();
        }
        self.progress.say(text);
    }
}

/// How far a step is, in a few words.
fn how_far(progress: &StepProgress) -> String {
    let StepProgress { bytes, total_bytes, files, total_files, cached_files } = progress;
    let mut words = Vec::new();
    if let (Some(files), Some(total)) = (files, total_files) {
        let cached = cached_files.filter(|cached| *cached > 0);
        let cached = cached.map(|cached| format!(" ({cached} were there)")).unwrap_or_default();
        words.push(format!("{files} of {total} files{cached}"));
    }
    words.push(match total_bytes {
        Some(total) => format!("{} of {}", text::bytes(*bytes), text::bytes(*total)),
        None => text::bytes(*bytes),
    });
    words.join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutputFormat;

    fn operation(progress: &str) -> Operation {
        let text = format!(
            r#"{{"id":"0197f3a0-0000-7000-8000-000000000000","kind":"apply","state":"running","createdAt":"2026-01-01T00:00:00Z",
                "steps":[{{"name":"fetch-dependencies","state":"running","detail":"old","progress":{progress}}}]}}"#
        );
        serde_json::from_str(&text).expect("an operation")
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_terminal_it_is_said_now_and_then_how_far_a_step_is() {
        let (printer, _, errors) = Printer::in_memory(OutputFormat::Table);
        let progress = printer.progress();
        let mut steps = Steps::new(&printer, &progress, 0);
        let shown = || String::from_utf8(errors.lock().expect("no panic").clone()).expect("text");
        for bytes in 0..100 {
            tokio::time::advance(Duration::from_millis(300)).await;
            let progress =
                format!(r#"{{"bytes":{bytes},"files":12,"totalFiles":14,"cachedFiles":9}}"#);
            steps.show(&operation(&progress));
        }
        let lines: Vec<String> = shown().lines().map(ToOwned::to_owned).collect();
        assert_eq!(
            lines.len(),
            2,
            "30 s are three times 10, and the third is just not over: {lines:?}"
        );
        assert!(
            lines[0].starts_with("  … fetch-dependencies: 12 of 14 files (9 were there), "),
            "{lines:?}"
        );
    }

    #[test]
    fn bytes_of_what_is_known_are_said_with_their_total() {
        let progress =
            StepProgress { bytes: 1 << 20, total_bytes: Some(4 << 20), ..StepProgress::default() };
        assert_eq!(
            how_far(&progress),
            format!("{} of {}", text::bytes(1 << 20), text::bytes(4 << 20))
        );
    }
}
