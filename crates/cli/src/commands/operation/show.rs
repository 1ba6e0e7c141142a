use clap::Args;
use flumen_api_types::{Operation, StepState};
use flumen_model::OperationId;
use jiff::Timestamp;

use super::state_cell;
use crate::{
    Cell, Error, Table, Tone,
    arguments::WaitArguments,
    commands::Context,
    follow::{self, Deadline},
    text,
};

/// Show an operation with its steps
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  flumen operation show 0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21
  flumen operation show 0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21 --wait --timeout 5m")]
pub struct Show {
    /// Id of the operation
    id: OperationId,

    #[command(flatten)]
    wait: WaitArguments,
}

impl Show {
    pub(crate) async fn run(self, context: &Context<'_>) -> Result<(), Error> {
        let id = self.id.to_string();
        let action = format!("show the operation {id}");
        let mut operation: Operation =
            context.client.get(action, &["operations", &id], &()).await?;
        if self.wait.wait {
            operation =
                follow::operation(context, operation, Deadline::after(self.wait.timeout)).await?;
            if !context.printer.is_json() {
                return context.printer.line(format!(
                    "{} succeeded.",
                    super::super::capital(&follow::describe(&operation))
                ));
            }
        }
        if context.printer.is_json() {
            return context.printer.json(&operation);
        }
        context.printer.table(&summary(&operation))?;
        context.printer.line("")?;
        context.printer.table(&steps(&operation, (context.now)()))
    }
}

fn summary(operation: &Operation) -> Table {
    let mut table = Table::pairs();
    table.pair("operation", operation.id.to_string());
    table.pair("what", follow::describe(operation));
    table.pair("state", state_cell(operation.state));
    table.pair_if("by", operation.created_by.clone());
    table.pair("began", text::moment(operation.created_at));
    table.pair_if("ended", operation.finished_at.map(text::moment));
    table.pair_if("savepoint", operation.savepoint.clone());
    for warning in operation.applied.iter().flat_map(|applied| &applied.warnings) {
        table.pair("warning", Cell::new(warning.clone(), Tone::Notice));
    }
    if let Some(error) = &operation.error {
        table.pair("error", Cell::new(error.message.clone(), Tone::Bad));
        for cause in &error.causes {
            table.pair("because", cause.as_str());
        }
        table.pair_if("what to do", error.hint.clone());
    }
    table
}

fn steps(operation: &Operation, now: Timestamp) -> Table {
    let mut table = Table::new(&["STEP", "STATE", "TOOK", "DETAIL"]);
    for step in &operation.steps {
        let (word, tone) = match step.state {
            StepState::Running => ("running", Tone::Notice),
            StepState::Succeeded => ("succeeded", Tone::Good),
            StepState::Failed => ("failed", Tone::Bad),
            StepState::Skipped => ("skipped", Tone::Quiet),
        };
        let took = step
            .started_at
            .map(|from| text::duration(text::between(from, step.finished_at.unwrap_or(now))));
        let error = step.error.as_ref().map(|error| error.message.clone());
        table.row(vec![
            step.name.as_str().into(),
            Cell::new(word, tone),
            took.unwrap_or_default().into(),
            error.or_else(|| step.detail.clone()).unwrap_or_default().into(),
        ]);
    }
    table
}
