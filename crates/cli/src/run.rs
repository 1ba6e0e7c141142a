use std::{ffi::OsString, process::ExitCode};

use jiff::Timestamp;

use crate::{
    Command, Error, GlobalArguments, Printer, Settings,
    client::Client,
    commands::{self, Context, cluster},
};

/// What a command takes from the world around it.
pub struct Surroundings {
    /// Looks an environment variable up.
    pub variables: fn(&str) -> Option<OsString>,
    /// Where everything is printed.
    pub printer: Printer,
    /// The time.
    pub now: fn() -> Timestamp,
    /// The whole command line, for completions.
    pub command_line: fn() -> clap::Command,
}

/// Runs one command to its end and says how it went.
pub fn run(command: Command, arguments: &GlobalArguments, surroundings: &Surroundings) -> ExitCode {
    match execute(command, arguments, surroundings) {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads the result has seen enough, as `head` does.
        Err(Error::Print { source }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            surroundings.printer.error(&error.explained());
            ExitCode::from(error.exit_code())
        }
    }
}

fn execute(
    command: Command,
    arguments: &GlobalArguments,
    surroundings: &Surroundings,
) -> Result<(), Error> {
    let command = match command {
        Command::Completion(completion) => {
            return completion.run(&surroundings.printer, (surroundings.command_line)());
        }
        Command::Cluster(cluster::Command::Rbac(rbac)) if rbac.needs_no_server() => {
            return rbac.print_offline(&surroundings.printer);
        }
        other => other,
    };
    let settings = Settings::resolve(arguments, &surroundings.variables)?;
    let context = Context {
        client: Client::new(&settings)?,
        printer: surroundings.printer.clone(),
        environment: settings.environment,
        now: surroundings.now,
        variables: &surroundings.variables,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Runtime { source })?;
    runtime.block_on(commands::execute(command, &context))
}
