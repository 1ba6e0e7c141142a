//! Identifiers and tokens: everything random is made here.

use flumen_model::{EventId, JobId, OperationId, RunId, Secret, SnapshotId, TeamId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub(crate) fn job() -> JobId {
    JobId::from_uuid(Uuid::now_v7())
}

pub(crate) fn team() -> TeamId {
    TeamId::from_uuid(Uuid::now_v7())
}

pub(crate) fn operation() -> OperationId {
    OperationId::from_uuid(Uuid::now_v7())
}

pub(crate) fn event() -> EventId {
    EventId::from_uuid(Uuid::now_v7())
}

pub(crate) fn snapshot() -> SnapshotId {
    SnapshotId::from_uuid(Uuid::now_v7())
}

pub(crate) fn run() -> RunId {
    RunId::from_bits(Uuid::new_v4().as_u128())
}

/// A new API token: 244 random bits behind a prefix that secret scanners can find.
pub(crate) fn token() -> Secret {
    Secret::new(format!("flumen_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
}

/// A one-time code for Flink's web UI.
pub(crate) fn code() -> String {
    Uuid::new_v4().simple().to_string()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    sha256(bytes).hex().to_owned()
}

pub(crate) fn sha256(bytes: &[u8]) -> flumen_model::Digest {
    flumen_model::Digest::from_sha256(&Sha256::digest(bytes).into())
}
