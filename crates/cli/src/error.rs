use std::{error::Error as _, io, path::PathBuf};

use flumen_api_types::{Failure, JobState, Problem};
use flumen_model::{InvalidValue, Kind};

use crate::exit;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the text of each variant says what its fields are")]
pub enum Error {
    /// Neither a flag nor a variable nor a running server says where to go.
    #[error("no Flumen server is known here: {} is not there, and neither --server nor FLUMEN_SERVER is given", .file.display())]
    NoServer { file: PathBuf },
    /// There is no place to look in.
    #[error(
        "there is no data directory: neither --data-directory, FLUMEN_DATA_DIRECTORY nor HOME is given"
    )]
    NoHome,
    /// The address of the server is none.
    #[error("the server address {text:?} is not valid: {reason}")]
    Server { text: String, reason: String },
    /// A variable has a value that is not allowed.
    #[error("the environment variable {variable} cannot be used")]
    Variable { variable: &'static str, source: InvalidValue },
    /// A variable is no text.
    #[error("the environment variable {variable} is not UTF-8 text")]
    VariableIsNoText { variable: String },
    /// A variable of Flumen's own holds nothing.
    #[error("the environment variable {variable} is empty: give it a value or unset it")]
    VariableIsEmpty { variable: String },
    /// The note of the running server cannot be read.
    #[error("could not read {}, where the server of this machine says where it is", .file.display())]
    ReadServerFile { file: PathBuf, source: io::Error },
    /// The token cannot be read.
    #[error("could not read the API token in {}", .file.display())]
    ReadToken { file: PathBuf, source: io::Error },
    /// The HTTP client cannot be made.
    #[error("could not set up the connection to {server}")]
    Prepare { server: String, source: reqwest::Error },
    /// The runtime cannot be made.
    #[error("could not start the command")]
    Runtime { source: io::Error },
    /// Nobody listens there.
    #[error("could not {action}: no Flumen server answers at {server}")]
    Connect { action: String, server: String, source: reqwest::Error },
    /// The answer did not come or broke off.
    #[error("could not {action}: the connection to the server at {server} broke")]
    Broken { action: String, server: String, source: reqwest::Error },
    /// An upload broke off, and again each time that it went on.
    #[error(transparent)]
    Upload { source: Box<Self> },
    /// The answer did not come in time.
    #[error("could not {action}: the server at {server} did not answer in time")]
    Late { action: String, server: String, source: reqwest::Error },
    /// The server said no.
    #[error("could not {action}: {}", say(.problem))]
    Refused { action: String, problem: Box<Problem> },
    /// The answer is not one of Flumen's.
    #[error(
        "could not {action}: what answers at {server} is no Flumen server (HTTP status {status})"
    )]
    Foreign { action: String, server: String, status: u16 },
    /// The answer is Flumen's and cannot be understood.
    #[error(
        "could not {action}: the answer of the server at {server} is not understood; is it of another version?"
    )]
    Answer { action: String, server: String, source: serde_json::Error },
    /// A job file cannot be read.
    #[error("could not read the job file {}", .file.display())]
    ReadJobFile { file: PathBuf, source: io::Error },
    /// A job file is wrong.
    #[error("the job file is not valid\n{source}")]
    JobFile { source: flumen_job_file::Error },
    /// The file says other than one job.
    #[error("{} has {jobs} jobs, and a script is checked for one", .file.display())]
    OneJob { file: PathBuf, jobs: usize },
    /// A script cannot be read.
    #[error("could not read the script {}", .file.display())]
    ReadScript { file: PathBuf, source: io::Error },
    /// What is given of a script's job cannot be.
    #[error("the script {file} cannot be checked by Flink: {problem}")]
    ScriptJob { file: String, problem: String },
    /// A script is wrong; what is wrong with it was printed.
    #[error("the script {file} has {errors} error{}", if *.errors == 1 { "" } else { "s" })]
    Script { file: String, errors: usize },
    /// A variable is given, and nothing has variables.
    #[error(
        "the variable {variable} is given (--var), and no job of the files is of kind: sql, whose scripts have variables"
    )]
    NoScript { variable: String },
    /// The file of an environment cannot be read.
    #[error("could not read the file of the environment {}", .file.display())]
    ReadEnvironmentFile { file: PathBuf, source: io::Error },
    /// The file of an environment is wrong.
    #[error("the file of the environment is not valid: {}", .file.display())]
    EnvironmentFile { file: PathBuf, source: Box<serde_saphyr::Error> },
    /// A kubeconfig cannot be read.
    #[error("could not read the kubeconfig {}", .file.display())]
    ReadKubeconfig { file: PathBuf, source: io::Error },
    /// A file that a kubeconfig names cannot be read.
    #[error("could not read {}, which the kubeconfig {} names as {field}", .file.display(), .kubeconfig.display())]
    ReadKubeconfigFile {
        kubeconfig: PathBuf,
        field: &'static str,
        file: PathBuf,
        source: io::Error,
    },
    /// A kubeconfig cannot be used.
    #[error(transparent)]
    Kubeconfig { source: flumen_cluster::Error },
    /// Nothing says where jobs are to run.
    #[error("no environment is in the cluster {cluster}, and no namespace is named")]
    NoNamespace { cluster: String },
    /// The file of a project cannot be read.
    #[error("could not read the project file {}", .file.display())]
    ReadProjectFile { file: PathBuf, source: io::Error },
    /// The file of a project is wrong.
    #[error("the project file is not valid: {}", .file.display())]
    ProjectFile { file: PathBuf, source: Box<serde_saphyr::Error> },
    /// The file of a project says what cannot be.
    #[error("the project file is not valid: {}", .file.display())]
    Project { file: PathBuf, source: InvalidValue },
    /// A file that a job names cannot be read.
    #[error("could not read {}, which {job} names as {named:?}", .file.display())]
    ReadArtifact { job: String, named: String, file: PathBuf, source: io::Error },
    /// A folder's place cannot be found out.
    #[error("could not find out where {} is", .directory.display())]
    Directory { directory: PathBuf, source: io::Error },
    /// There is no such run.
    #[error("the job {job} has no run {run:?}")]
    NoRun { job: String, run: String },
    /// What does not end is no value.
    #[error("--follow cannot go with --output json, which prints one value at the end")]
    FollowAsJson,
    /// A stream broke off.
    #[error("could not {action} to the end: the connection broke")]
    Stream { action: String, source: reqwest::Error },
    /// What was started did not succeed.
    #[error("{what} failed{}: {}", step.as_ref().map(|step| format!(" in the step \"{step}\"")).unwrap_or_default(), .failure.message)]
    Operation { what: String, step: Option<String>, failure: Box<Failure> },
    /// What was started was given up for a later operation.
    #[error("{what} was given up because another operation took its place")]
    Superseded { what: String },
    /// What was started was cancelled.
    #[error("{what} was cancelled")]
    Canceled { what: String },
    /// A run ended otherwise than it should.
    #[error("the job {job} ended as {state}{}", .reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Ended { job: String, state: JobState, reason: Option<String> },
    /// A check found something that does not work.
    #[error("{failed} of {all} checks of {what} failed")]
    Checks { what: String, failed: usize, all: usize },
    /// The time to wait is over.
    #[error("{what} did not end within {after}; it goes on")]
    WaitedTooLong { what: String, after: String, look: String },
    /// Nobody reads what is printed.
    #[error("could not print the result")]
    Print { source: io::Error },
}

fn say(problem: &Problem) -> String {
    match (&problem.detail, &problem.request_id) {
        (Some(detail), _) => detail.clone(),
        (None, Some(id)) => {
            format!(
                "the server failed ({}); its log has the reason under request {id}",
                problem.code
            )
        }
        (None, None) => format!("the server failed ({}); its log has the reason", problem.code),
    }
}

impl Error {
    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoServer { .. }
            | Self::Connect { .. }
            | Self::Broken { .. }
            | Self::Stream { .. }
            | Self::Foreign { .. } => Kind::Unavailable,
            Self::Upload { source } => source.kind(),
            Self::Late { .. } | Self::WaitedTooLong { .. } => Kind::Timeout,
            Self::Refused { problem, .. } => problem.kind,
            Self::Operation { failure, .. } => failure.kind.unwrap_or(Kind::Bug),
            Self::NoRun { .. } => Kind::NotFound,
            Self::NoHome
            | Self::Server { .. }
            | Self::Variable { .. }
            | Self::VariableIsNoText { .. }
            | Self::VariableIsEmpty { .. }
            | Self::JobFile { .. }
            | Self::NoScript { .. }
            | Self::EnvironmentFile { .. }
            | Self::Kubeconfig { .. }
            | Self::NoNamespace { .. }
            | Self::OneJob { .. }
            | Self::ScriptJob { .. }
            | Self::Script { .. }
            | Self::ProjectFile { .. }
            | Self::Project { .. }
            | Self::FollowAsJson => Kind::Invalid,
            Self::ReadJobFile { source, .. }
            | Self::ReadEnvironmentFile { source, .. }
            | Self::ReadProjectFile { source, .. }
            | Self::ReadKubeconfig { source, .. }
            | Self::ReadKubeconfigFile { source, .. }
            | Self::ReadArtifact { source, .. }
            | Self::ReadScript { source, .. }
            | Self::ReadServerFile { source, .. }
            | Self::Directory { source, .. }
            | Self::ReadToken { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => Kind::NotFound,
                io::ErrorKind::PermissionDenied => Kind::Denied,
                _ => Kind::Invalid,
            },
            Self::Prepare { .. }
            | Self::Runtime { .. }
            | Self::Answer { .. }
            | Self::Superseded { .. }
            | Self::Canceled { .. }
            | Self::Ended { .. }
            | Self::Checks { .. }
            | Self::Print { .. } => Kind::Bug,
        }
    }

    /// The exit status of the command. What failed after the command was carried out is a plain
    /// failure, whatever its kind; what a request would have been refused for is as that.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Superseded { .. }
            | Self::Canceled { .. }
            | Self::Ended { .. }
            | Self::Checks { .. } => exit::FAILED,
            _ => exit::code_for(self.kind()),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoServer { .. } | Self::Connect { .. } => {
                "Start one on this machine with `flumen up`, or name one with --server or FLUMEN_SERVER."
            }
            Self::Upload { .. } => {
                "What has arrived is kept on the server; the same command goes on from there."
            }
            Self::NoHome => "Name one with --data-directory.",
            Self::Refused { problem, .. } if problem.hint.is_none() && problem.status == 401 => {
                "Give the server's token with --token or FLUMEN_TOKEN; on the server's machine it is the file `token` in its data directory."
            }
            Self::Refused { problem, .. } => return problem.hint.clone(),
            Self::Operation { failure, .. } => return failure.hint.clone(),
            Self::WaitedTooLong { look, .. } => return Some(format!("Look at it with `{look}`.")),
            Self::FollowAsJson => "Leave out one of the two.",
            Self::NoRun { .. } => "`flumen job history` lists its runs.",
            Self::ProjectFile { .. } | Self::Project { .. } => {
                "`flumen schema project` describes the file."
            }
            Self::EnvironmentFile { .. } => "`flumen schema environment` describes the file.",
            Self::Kubeconfig { source } => return source.hint().map(ToOwned::to_owned),
            Self::NoNamespace { .. } => "Name one with --namespace.",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// What lies behind it, the nearest cause first.
    pub fn causes(&self) -> Vec<String> {
        match self {
            Self::Refused { problem, .. } => problem.causes.clone(),
            Self::Operation { failure, .. } => failure.causes.clone(),
            // Its text stands in the message, where it is one line per problem.
            Self::JobFile { .. } => Vec::new(),
            _ => Explained::chain(self.source()),
        }
    }

    /// The error as the printer shows it.
    pub fn explained(&self) -> Explained {
        Explained { message: self.to_string(), causes: self.causes(), hint: self.hint() }
    }
}

/// An error in the form in which every command shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What failed, on what, and why.
    pub message: String,
    /// What lies behind it, the nearest cause first.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Explained {
    /// The texts of an error and of what lies behind it, without repetitions.
    pub fn chain(first: Option<&(dyn std::error::Error + 'static)>) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut next = first;
        while let Some(error) = next {
            let text = error.to_string();
            if causes.last().is_none_or(|last| !last.contains(&text)) {
                causes.push(text);
            }
            next = error.source();
        }
        causes
    }
}
