//! One file per command; one dispatch per group.

use clap::Subcommand;
use flumen_api_types::{Job, JobQuery, JobReference, Operation};
use flumen_job_file::ScriptCheck;
use flumen_model::EnvironmentName;
use jiff::Timestamp;

use crate::{
    Error, Printer, Variables,
    arguments::{EnvironmentArguments, JobArguments, ListArguments, WaitArguments},
    client::Client,
    follow::{self, Deadline},
};

mod apply;
pub(crate) mod cluster;
mod completion;
mod diff;
mod environment;
mod job;
mod log;
mod operation;
mod project;
mod release;
mod snapshot;
mod sql;
mod version;

/// The commands that talk to a server.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create or change jobs as their files say, and start them
    Apply(apply::Apply),
    /// Say what applying job files would change, and whether that restarts jobs or risks their state
    Diff(diff::Diff),
    /// Look at jobs and operate them
    #[command(subcommand)]
    Job(job::Command),
    /// Look at what was done to jobs, versions and projects, step by step
    #[command(subcommand)]
    Operation(operation::Command),
    /// Look at the releases of jobs
    #[command(subcommand)]
    Release(release::Command),
    /// Look at savepoints and checkpoints
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Build jars from git repositories, in pods
    #[command(subcommand)]
    Project(project::Command),
    /// Make Flink versions available
    #[command(subcommand)]
    Version(version::Command),
    /// Look at the environments that jobs run in
    #[command(subcommand)]
    Environment(environment::Command),
    /// Look at the Kubernetes clusters that Flumen deploys to
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// Print the completion script of a shell
    Completion(completion::Completion),
    /// Check a script by Flink: `flumen sql check --explain`, whose other half needs no server
    #[command(skip)]
    ExplainSql(Box<ScriptCheck>),
}

/// What a command works with.
pub(crate) struct Context<'a> {
    pub(crate) client: Client,
    pub(crate) printer: Printer,
    pub(crate) environment: EnvironmentName,
    pub(crate) now: fn() -> Timestamp,
    pub(crate) variables: Variables<'a>,
}

pub(crate) async fn execute(command: Command, context: &Context<'_>) -> Result<(), Error> {
    match command {
        Command::Apply(apply) => apply.run(context).await,
        Command::Diff(diff) => diff.run(context).await,
        Command::Job(command) => job::execute(command, context).await,
        Command::Operation(command) => operation::execute(command, context).await,
        Command::Release(command) => release::execute(command, context).await,
        Command::Snapshot(command) => snapshot::execute(command, context).await,
        Command::Project(command) => project::execute(command, context).await,
        Command::Version(command) => version::execute(command, context).await,
        Command::Environment(command) => environment::execute(command, context).await,
        Command::Cluster(command) => cluster::execute(command, context).await,
        Command::ExplainSql(check) => sql::explain(*check, context).await,
        // It needs no server and was carried out before one was looked for.
        Command::Completion(_) => Ok(()),
    }
}

impl Context<'_> {
    /// The environment that the arguments name.
    pub(crate) fn environment(&self, arguments: EnvironmentArguments) -> EnvironmentName {
        arguments.environment.unwrap_or_else(|| self.environment.clone())
    }

    /// The job that the arguments name.
    pub(crate) fn job(&self, arguments: JobArguments) -> JobReference {
        let environment = arguments.environment.unwrap_or_else(|| self.environment.clone());
        JobReference { environment, name: arguments.name }
    }

    /// The environment of a list: where a job is named, it is in some environment.
    pub(crate) fn listed(&self, list: &ListArguments) -> Option<EnvironmentName> {
        let present = || list.job.as_ref().map(|_| self.environment.clone());
        list.environment.clone().or_else(present)
    }

    /// Fetches a job.
    pub(crate) async fn fetch_job(
        &self,
        job: &JobReference,
        query: JobQuery,
    ) -> Result<Job, Error> {
        let path = ["environments", job.environment.as_str(), "jobs", job.name.as_str()];
        self.client.get(format!("show the job {job}"), &path, &query).await
    }

    /// Waits for an operation where that was asked for, and says what came of it.
    pub(crate) async fn finish(
        &self,
        operation: Operation,
        wait: &WaitArguments,
        done: impl FnOnce(&Operation) -> String,
    ) -> Result<(), Error> {
        if !wait.wait {
            return self.started(&operation);
        }
        let deadline = Deadline::after(wait.timeout);
        let operation = follow::operation(self, operation, deadline).await?;
        if self.printer.is_json() {
            return self.printer.json(&operation);
        }
        self.printer.line(done(&operation))
    }

    /// Says which operation goes on, for who does not wait for it.
    pub(crate) fn started(&self, operation: &Operation) -> Result<(), Error> {
        if self.printer.is_json() {
            return self.printer.json(operation);
        }
        self.printer.line(format!(
            "{} has begun; follow it with: flumen operation show {} --wait",
            capital(&follow::describe(operation)),
            operation.id
        ))
    }
}

/// The text with its first letter in upper case.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
