//! Checkpoints that are asked for, and the disposal of savepoints: begun by one call, looked at by another.

use flumen_model::FlinkMinor;
use serde::{Deserialize, Serialize};

use crate::{
    Call, Error, Failure, JobId, TriggerId, call,
    trigger::{Operation, Status, Triggered},
};

/// The first minor that takes a checkpoint when it is asked to.
const CHECKPOINTS: FlinkMinor = FlinkMinor::new(1, 17);

/// How much of the state a checkpoint that is asked for writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CheckpointKind {
    /// As the job is configured.
    #[default]
    Configured,
    /// All of it.
    Full,
}

/// How far a checkpoint that was asked for is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Status<Taken>")]
pub enum TriggeredCheckpoint {
    /// Under way.
    InProgress,
    /// Taken.
    Completed {
        /// Its number in the job.
        id: u64,
    },
    /// Not taken.
    Failed(Failure),
}

/// How far the disposal of a savepoint is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Status<Nothing>")]
pub enum DisposalStatus {
    /// Under way.
    InProgress,
    /// Its files are gone.
    Completed,
    /// It is there still, or in part.
    Failed(Failure),
}

/// Begins a checkpoint. The answer is the id to poll with.
///
/// # Errors
/// [`Error::TooOld`] before 1.17.
pub fn trigger_checkpoint(
    version: FlinkMinor,
    job: JobId,
    kind: CheckpointKind,
    trigger_id: Option<TriggerId>,
) -> Result<Call<TriggerId>, Error> {
    const NAME: &str = "checkpoint";
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        checkpoint_type: CheckpointKind,
        #[serde(skip_serializing_if = "Option::is_none")]
        trigger_id: Option<TriggerId>,
    }
    if version < CHECKPOINTS {
        let what = "a checkpoint that is asked for";
        return Err(Error::TooOld { call: NAME, what, since: CHECKPOINTS, version });
    }
    let body = Body { checkpoint_type: kind, trigger_id };
    Ok(call::post_as::<Triggered, _>(NAME, format!("/jobs/{job}/checkpoints"), &body))
}

/// Asks how far a checkpoint that was asked for is.
pub fn triggered_checkpoint(job: JobId, trigger: TriggerId) -> Call<TriggeredCheckpoint> {
    call::get("checkpoint status", format!("/jobs/{job}/checkpoints/{trigger}"))
}

/// Begins to dispose of a savepoint: its files are deleted. The answer is the id to poll with.
pub fn dispose_savepoint(path: &str) -> Call<TriggerId> {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Body<'a> {
        savepoint_path: &'a str,
    }
    let body = Body { savepoint_path: path };
    call::post_as::<Triggered, _>("disposal of the savepoint", "/savepoint-disposal".into(), &body)
}

/// Asks how far the disposal of a savepoint is.
pub fn disposal_status(trigger: TriggerId) -> Call<DisposalStatus> {
    call::get("disposal status", format!("/savepoint-disposal/{trigger}"))
}

#[derive(Deserialize)]
struct Taken {
    #[serde(rename = "checkpointId", default)]
    checkpoint_id: Option<u64>,
}

#[derive(Deserialize)]
struct Nothing {}

impl TryFrom<Status<Taken>> for TriggeredCheckpoint {
    type Error = String;

    fn try_from(answer: Status<Taken>) -> Result<Self, String> {
        match (answer.status.id.as_str(), answer.operation) {
            ("IN_PROGRESS", _) => Ok(Self::InProgress),
            (_, Some(Operation { failure_cause: Some(cause), .. })) => {
                Ok(Self::Failed(cause.into()))
            }
            (_, Some(Operation { result: Taken { checkpoint_id: Some(id) }, .. })) => {
                Ok(Self::Completed { id })
            }
            (word, _) => Err(format!("{word} with neither a checkpoint nor a failure cause")),
        }
    }
}

/// A completed one has an empty operation, or none at all.
impl TryFrom<Status<Nothing>> for DisposalStatus {
    type Error = String;

    fn try_from(answer: Status<Nothing>) -> Result<Self, String> {
        match (answer.status.id.as_str(), answer.operation) {
            ("IN_PROGRESS", _) => Ok(Self::InProgress),
            (_, Some(Operation { failure_cause: Some(cause), .. })) => {
                Ok(Self::Failed(cause.into()))
            }
            ("COMPLETED", _) => Ok(Self::Completed),
            (word, _) => Err(format!("{word} is no status of a disposal")),
        }
    }
}
