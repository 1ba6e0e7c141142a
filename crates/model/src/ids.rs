use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Digest, InvalidValue};

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes an identifier that was made elsewhere; a version 7 UUID sorts by its time.
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The identifier as a UUID.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| InvalidValue::new($what, text, "expected a UUID"))
            }
        }
    };
}

uuid_id! {
    /// One thing done to a job, as a durable list of steps.
    OperationId, "operation id"
}
uuid_id! {
    /// A job, whatever its name.
    JobId, "job id"
}
uuid_id! {
    /// A team, the owner of jobs.
    TeamId, "team id"
}
uuid_id! {
    /// A user.
    UserId, "user id"
}
uuid_id! {
    /// A savepoint or checkpoint, recorded.
    SnapshotId, "snapshot id"
}
uuid_id! {
    /// An entry of a job's timeline.
    EventId, "event id"
}

/// One start of a release. Its text is a Flink job id (32 hex digits), which Flink is told to use
/// where the version honours `$internal.pipeline.job-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(u128);

impl RunId {
    /// The annotation of a Deployment that names the run it was created for: what a create that found the
    /// name taken compares.
    pub const ANNOTATION: &str = "flumen.dev/run-id";

    /// The run id with these bits. Zero is what Flink up to 1.15 gives every job: never pass it.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl FromStr for RunId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then(|| u128::from_str_radix(text, 16).ok())
            .flatten()
            .map(Self)
            .ok_or_else(|| InvalidValue::new("run id", text, "expected 32 hex digits"))
    }
}

impl TryFrom<String> for RunId {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.to_string()
    }
}

/// An immutable build of a job: the SHA-256 of its content, so the same inputs have the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseId(Digest);

impl ReleaseId {
    /// The release whose content has this digest.
    pub const fn new(content: Digest) -> Self {
        Self(content)
    }

    /// The digest of the content.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }

    /// The first twelve hex digits, for people and for image tags.
    pub fn short(&self) -> &str {
        &self.0.hex()[..12]
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for ReleaseId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_reads_back_with_its_leading_zeros() {
        let id = RunId::from_bits(0xab);
        assert_eq!(id.to_string(), "000000000000000000000000000000ab");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn what_is_not_32_hex_digits_is_no_run_id() {
        for bad in
            ["", "ab", "+00000000000000000000000000000ab", "g0000000000000000000000000000000"]
        {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
