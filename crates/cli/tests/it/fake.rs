use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
};

use axum::Router;
use clap::{CommandFactory as _, Parser};
use flumen_cli::{Command, GlobalArguments, OutputFormat, Printer, Surroundings};
use jiff::Timestamp;
use tokio::net::TcpListener;

/// The command line as the binary has it, without the commands that run a server.
#[derive(Debug, Parser)]
#[command(name = "flumen")]
pub(crate) struct CommandLine {
    #[command(flatten)]
    global: GlobalArguments,
    #[command(subcommand)]
    command: Command,
}

/// What a command printed, and how it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) code: ExitCode,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// The time at which all commands run here.
pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";

/// Runs a command line against the API at `server`.
pub(crate) fn run(server: &str, line: &[&str]) -> Answer {
    let words = ["flumen", "--server", server].into_iter().chain(line.iter().copied());
    let CommandLine { mut global, command } =
        CommandLine::try_parse_from(words).expect("a command line");
    global.data_directory.get_or_insert_with(|| "/nowhere".into());
    carry_out(command, &global)
}

fn carry_out(command: Command, global: &GlobalArguments) -> Answer {
    let (printer, output, errors) = Printer::in_memory(global.output);
    let surroundings = Surroundings {
        variables: |_| None,
        printer,
        now: || NOW.parse::<Timestamp>().expect("a time"),
        command_line: CommandLine::command,
    };
    let code = flumen_cli::run(command, global, &surroundings);
    let text = |memory: Arc<Mutex<Vec<u8>>>| {
        String::from_utf8(std::mem::take(&mut *memory.lock().expect("no panic"))).expect("text")
    };
    Answer { code, output: text(output), errors: text(errors) }
}

/// What is said of a command line that is not valid.
pub(crate) fn misused(line: &[&str]) -> String {
    let words = ["flumen"].into_iter().chain(line.iter().copied());
    CommandLine::try_parse_from(words).expect_err("a wrong command line").to_string()
}

/// An API that answers as `routes` says, until it is dropped.
pub(crate) struct Fake {
    pub(crate) url: String,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Fake {
    pub(crate) fn serve(routes: Router) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self { url, runtime: Some(runtime) }
    }

    pub(crate) fn run(&self, line: &[&str]) -> Answer {
        run(&self.url, line)
    }

    /// Runs a command that the command line of this crate alone does not have.
    pub(crate) fn command(&self, command: Command, output: OutputFormat) -> Answer {
        let global = GlobalArguments {
            server: Some(self.url.clone()),
            data_directory: Some("/nowhere".into()),
            output,
            ..GlobalArguments::default()
        };
        carry_out(command, &global)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The end of a command that did what it was asked for.
pub(crate) fn done() -> ExitCode {
    ExitCode::SUCCESS
}

/// The end of a command that failed with this status.
pub(crate) fn ended(code: u8) -> ExitCode {
    ExitCode::from(code)
}
