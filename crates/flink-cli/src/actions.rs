//! One file an action of Flink's client.

pub(crate) mod cancel;
pub(crate) mod checkpoint;
pub(crate) mod info;
pub(crate) mod list;
pub(crate) mod run;
pub(crate) mod run_application;
pub(crate) mod savepoint;
pub(crate) mod stop;
pub(crate) mod submit;

use flumen_flink_conf::Configuration;
use flumen_flink_rest::{JobId, SavepointFormat, TriggerId};
use flumen_model::FlinkMinor;

use crate::{Error, command_line::CommandLine};

/// From here on a savepoint has a format, and its trigger an id that the client may choose.
pub(crate) const FORMATS: FlinkMinor = FlinkMinor::new(1, 15);

/// What every action works on.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) minor: FlinkMinor,
    /// The arguments behind the action as they came.
    pub(crate) given: Vec<String>,
    pub(crate) line: CommandLine,
    pub(crate) configuration: Configuration,
}

impl Request {
    /// The job that the first argument names.
    pub(crate) fn job(&self, missing: &str) -> Result<JobId, Error> {
        match self.line.arguments.first() {
            Some(text) => job_id(text),
            None => Err(Error::Usage(missing.to_owned())),
        }
    }

    /// The format that `-type` asks for.
    pub(crate) fn format(&self) -> Result<SavepointFormat, Error> {
        let Some(text) = self.line.value("type") else { return Ok(SavepointFormat::Canonical) };
        match text.to_ascii_uppercase().as_str() {
            "CANONICAL" => Ok(SavepointFormat::Canonical),
            "NATIVE" => Ok(SavepointFormat::Native),
            _ => Err(Error::Failed(format!(
                "Could not parse value {text:?} of -type: expected CANONICAL or NATIVE"
            ))),
        }
    }

    /// An id for a trigger, so that repeating it is harmless where the version takes one.
    pub(crate) fn trigger_id(&self) -> Option<TriggerId> {
        (self.minor >= FORMATS).then(|| TriggerId::from_bits(uuid::Uuid::new_v4().as_u128()))
    }
}

/// The format as Flink's client names it in its messages.
pub(crate) const fn format_word(format: SavepointFormat) -> &'static str {
    match format {
        SavepointFormat::Canonical => "CANONICAL",
        SavepointFormat::Native => "NATIVE",
    }
}

pub(crate) fn job_id(text: &str) -> Result<JobId, Error> {
    text.parse().map_err(|_| {
        Error::Usage(format!(
            "Cannot parse JobID from \"{text}\". The expected format is [0-9a-fA-F]{{32}}."
        ))
    })
}

/// An error of one step on a job.
pub(crate) fn on_job(what: String) -> impl FnOnce(Error) -> Error {
    move |source| Error::Job { what, source: Box::new(source) }
}
