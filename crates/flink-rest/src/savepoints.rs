use flumen_model::FlinkMinor;
use serde::{Deserialize, Serialize};

use crate::{
    Call, Error, Failure, JobId, TriggerId, call,
    trigger::{Operation, Status, Triggered},
};

/// The first minor that takes a format and a trigger id; earlier ones refuse unknown fields.
const OWN_TRIGGER_ID: FlinkMinor = FlinkMinor::new(1, 15);

/// How a savepoint is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SavepointFormat {
    /// The same for all state backends. Up to 1.14 there is no other.
    #[default]
    Canonical,
    /// The state backend's own: faster, tied to it (1.15 and later).
    Native,
}

/// What becomes of the snapshot that a job starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RestoreMode {
    /// Flink takes it over and may delete it.
    Claim,
    /// It stays the user's; the first checkpoint is a full one.
    NoClaim,
    /// Neither: how Flink did it up to 1.14.
    Legacy,
}

/// A savepoint of a running job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavepointRequest {
    /// The directory. Default: the one of Flink's configuration; without both Flink refuses.
    pub target_directory: Option<String>,
    /// Whether the job is cancelled afterwards. Default: no.
    pub cancel_job: bool,
    /// The format. Default: canonical.
    pub format: SavepointFormat,
    /// The id that makes a repetition harmless (1.15 and later; earlier versions choose their own, and a
    /// repetition may take a second savepoint). Default: Flink chooses.
    pub trigger_id: Option<TriggerId>,
}

/// The end of a job with a savepoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StopRequest {
    /// The directory. Default: the one of Flink's configuration; without both Flink refuses.
    pub target_directory: Option<String>,
    /// Whether the sources end as if their input were over. Default: no.
    pub drain: bool,
    /// The format. Default: canonical.
    pub format: SavepointFormat,
    /// As in [`SavepointRequest::trigger_id`].
    pub trigger_id: Option<TriggerId>,
}

/// How far a savepoint is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Status<Taken>")]
pub enum SavepointStatus {
    /// Under way.
    InProgress,
    /// Taken.
    Completed {
        /// Where it lies.
        location: String,
    },
    /// Not taken. Also where the job is unknown, has ended, or does not run with all its tasks.
    Failed(Failure),
}

/// Begins a savepoint. The answer is the id to poll with, also for a job that is unknown.
///
/// # Errors
/// [`Error::TooOld`] for a native savepoint before 1.15.
pub fn trigger_savepoint(
    version: FlinkMinor,
    job: JobId,
    request: &SavepointRequest,
) -> Result<Call<TriggerId>, Error> {
    const NAME: &str = "savepoint";
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Body<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        target_directory: Option<&'a str>,
        cancel_job: bool,
        #[serde(flatten)]
        newer: Newer,
    }
    let newer = Newer::of(NAME, version, request.format, request.trigger_id)?;
    let body = Body {
        target_directory: request.target_directory.as_deref(),
        cancel_job: request.cancel_job,
        newer,
    };
    Ok(call::post_as::<Triggered, _>(NAME, format!("/jobs/{job}/savepoints"), &body))
}

/// Begins to stop a job with a savepoint. Poll [`savepoint_status`] every second: in application mode the
/// JobManager ends soon after the result was fetched.
///
/// # Errors
/// [`Error::TooOld`] for a native savepoint before 1.15.
pub fn stop_with_savepoint(
    version: FlinkMinor,
    job: JobId,
    request: &StopRequest,
) -> Result<Call<TriggerId>, Error> {
    const NAME: &str = "stop with savepoint";
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        target_directory: Option<&'a str>,
        drain: bool,
        #[serde(flatten)]
        newer: Newer,
    }
    let newer = Newer::of(NAME, version, request.format, request.trigger_id)?;
    let body =
        Body { target_directory: request.target_directory.as_deref(), drain: request.drain, newer };
    Ok(call::post_as::<Triggered, _>(NAME, format!("/jobs/{job}/stop"), &body))
}

/// Asks how far a savepoint, or a stop with one, is. [`Error::NotFound`] means that this JobManager does
/// not know the trigger: it restarted, or the result was dropped. The savepoint may exist all the same.
pub fn savepoint_status(job: JobId, trigger: TriggerId) -> Call<SavepointStatus> {
    call::get("savepoint status", format!("/jobs/{job}/savepoints/{trigger}"))
}

/// The fields that 1.15 brought.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Newer {
    #[serde(skip_serializing_if = "Option::is_none")]
    format_type: Option<SavepointFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_id: Option<TriggerId>,
}

impl Newer {
    fn of(
        call: &'static str,
        version: FlinkMinor,
        format: SavepointFormat,
        trigger_id: Option<TriggerId>,
    ) -> Result<Self, Error> {
        if version >= OWN_TRIGGER_ID {
            return Ok(Self { format_type: Some(format), trigger_id });
        }
        match format {
            SavepointFormat::Canonical => Ok(Self { format_type: None, trigger_id: None }),
            SavepointFormat::Native => Err(Error::TooOld {
                call,
                what: "the native savepoint format",
                since: OWN_TRIGGER_ID,
                version,
            }),
        }
    }
}

#[derive(Deserialize)]
struct Taken {
    #[serde(default)]
    location: Option<String>,
}

/// A completed one has a location or a cause.
impl TryFrom<Status<Taken>> for SavepointStatus {
    type Error = String;

    fn try_from(answer: Status<Taken>) -> Result<Self, String> {
        match (answer.status.id.as_str(), answer.operation) {
            ("IN_PROGRESS", _) => Ok(Self::InProgress),
            (_, Some(Operation { result: Taken { location: Some(location) }, .. })) => {
                Ok(Self::Completed { location })
            }
            (_, Some(Operation { failure_cause: Some(cause), .. })) => {
                Ok(Self::Failed(cause.into()))
            }
            (word, _) => Err(format!("{word} with neither a location nor a failure cause")),
        }
    }
}
