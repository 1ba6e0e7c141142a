use clap::Subcommand;
use flumen_api_types::Operation;

use crate::{Error, arguments::WaitArguments, commands::Context, follow};

mod add;
mod list;
mod remove;
mod show;

/// Make Flink versions available
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the Flink versions that jobs may use
    List(list::List),
    /// Show a Flink version
    Show(show::Show),
    /// Make a Flink version available to jobs
    Add(add::Add),
    /// Take a Flink version away that no job uses
    Remove(remove::Remove),
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::List(command) => command.run(context).await,
        Command::Show(command) => command.run(context).await,
        Command::Add(command) => command.run(context).await,
        Command::Remove(command) => command.run(context).await,
    }
}

/// Waits for an operation where that was asked for, and says what came of it.
async fn finish(
    context: &Context<'_>,
    operation: Operation,
    wait: &WaitArguments,
    done: &str,
) -> Result<(), Error> {
    if !wait.wait {
        return context.started(&operation);
    }
    let operation = follow::operation(context, operation, wait.timeout).await?;
    if context.printer.is_json() {
        return context.printer.json(&operation);
    }
    context.printer.line(done)
}
