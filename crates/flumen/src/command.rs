use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser as _};
use flumen_cli::{OutputFormat, Printer, Surroundings};
use flumen_flink_cli::Program;

use crate::{
    arguments::{Command, CommandLine, Config},
    config, doctor, drop_in, failure, local, serve, up,
};

/// Reads the command line and carries the command out.
pub(crate) fn run() -> ExitCode {
    let CommandLine { mut global, command } = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(refusal) => {
            // Help and version are no failures, and go to standard output.
            let code = u8::try_from(refusal.exit_code()).unwrap_or(2);
            return if refusal.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE };
        }
    };
    let printer = Printer::of_process(
        global.output,
        variable("NO_COLOR").is_some_and(|text| !text.is_empty()),
    );
    let done = match with_server(command) {
        Command::Client(command) => {
            // A shell that starts up asks for completions, whatever the settings are.
            if !matches!(command, flumen_cli::Command::Completion(_))
                && let Err(error) = config::locate(&mut global)
            {
                return failure::report(&printer, &error);
            }
            let surroundings = Surroundings {
                variables: variable,
                printer,
                now: jiff::Timestamp::now,
                command_line: CommandLine::command,
            };
            return flumen_cli::run(command, &global, &surroundings);
        }
        Command::Tools(command) => return tools(&command, global.output, &printer),
        Command::Flink(given) => {
            return drop_in::run(Program::Flink, given.arguments.into_iter(), None);
        }
        Command::KubernetesSession(given) => {
            return drop_in::run(Program::KubernetesSession, given.arguments.into_iter(), None);
        }
        Command::Up(arguments) => up::run(&arguments, &global, &printer),
        Command::Serve(arguments) => serve::run(&arguments, &global, &printer),
        Command::Local(arguments) => local::run(&arguments, &global, &printer),
        Command::Config(Config::Show(arguments)) => config::show(&arguments, &global, &printer),
        Command::Doctor(arguments) => doctor::run(&arguments, &global, &printer),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&printer, &error),
    }
}

/// The one place that looks at environment variables.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// What of the offline commands needs a server is a command that talks to one.
fn with_server(command: Command) -> Command {
    let by_flink = match &command {
        Command::Tools(flumen_tools::Command::Sql(sql)) => sql.by_flink(),
        _ => None,
    };
    let Some(check) = by_flink else { return command };
    Command::Client(flumen_cli::Command::ExplainSql(Box::new(check)))
}

fn tools(command: &flumen_tools::Command, output: OutputFormat, printer: &Printer) -> ExitCode {
    let mut streams = flumen_tools::Streams {
        out: &mut io::stdout().lock(),
        notes: &mut io::stderr(),
        json: output == OutputFormat::Json,
        is_terminal: io::stderr().is_terminal(),
        variable: &|name| variable(name).and_then(|value| value.into_string().ok()),
    };
    match flumen_tools::run(command, &mut streams) {
        Ok(()) => ExitCode::SUCCESS,
        Err(flumen_tools::Error::Print { source })
            if source.kind() == io::ErrorKind::BrokenPipe =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            let code = flumen_cli::code_for(error.kind());
            printer.error(&failure::explain(&error.into()));
            ExitCode::from(code)
        }
    }
}
