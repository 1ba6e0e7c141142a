use std::{fmt, str::FromStr};

use flumen_model::{InvalidValue, RestoreMode, SavepointFormat, SnapshotId, UpgradeMode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::apply::yes;

/// From what a job is started. Its text is `nothing`, `latest`, the id of a snapshot, or a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StartSource {
    /// With empty state.
    Nothing,
    /// From the newest snapshot of the job.
    Latest,
    /// From a recorded snapshot.
    Snapshot(SnapshotId),
    /// From a savepoint or retained checkpoint that lies there, as Flink sees it.
    Path(String),
}

impl FromStr for StartSource {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "nothing" => Ok(Self::Nothing),
            "latest" => Ok(Self::Latest),
            _ if is_path(text) => Ok(Self::Path(text.to_owned())),
            _ => text.parse().map(Self::Snapshot).map_err(|_| {
                let allowed = "expected latest, nothing, the id of a snapshot, or a path from the root or with a scheme, such as s3://bucket/savepoint-1";
                InvalidValue::new("from", text, allowed)
            }),
        }
    }
}

/// Whether it is a path from the root, or a URI with a path.
fn is_path(text: &str) -> bool {
    let path = match text.split_once(":/") {
        Some((scheme, path)) if is_scheme(scheme) => Some(path),
        _ => text.strip_prefix('/'),
    };
    path.is_some_and(|path| !path.trim_matches('/').is_empty()) && !text.contains(char::is_control)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

impl fmt::Display for StartSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => out.pad("nothing"),
            Self::Latest => out.pad("latest"),
            Self::Snapshot(id) => id.fmt(out),
            Self::Path(path) => out.pad(path),
        }
    }
}

impl TryFrom<String> for StartSource {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<StartSource> for String {
    fn from(source: StartSource) -> Self {
        source.to_string()
    }
}

/// How a job is to be started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StartJob {
    /// From what: `latest`, `nothing`, the id of a snapshot, or a path. Default: from the newest
    /// snapshot if there is one; with empty state for `upgradeMode: stateless`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "latest")]
    pub from: Option<StartSource>,
    /// Whether state that no operator takes is dropped. Default: as the job file says.
    #[serde(skip_serializing_if = "is_false")]
    pub allow_non_restored_state: bool,
    /// What becomes of the snapshot: `claim`, `no-claim` or `legacy`. Default: Flink's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "no-claim")]
    pub restore_mode: Option<RestoreMode>,
}

/// How a job is to be stopped with a savepoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StopJob {
    /// Whether the sources end as if their input were over, so that windows fire. Default: no.
    #[serde(skip_serializing_if = "is_false")]
    pub drain: bool,
    /// The directory that the savepoint goes under. Default: the job's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "s3://bucket/savepoints")]
    pub savepoint_path: Option<String>,
    /// How it is written: `canonical` or `native`. Default: `canonical` up to Flink 1.20, `native` from 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "canonical")]
    pub format: Option<SavepointFormat>,
}

/// How a savepoint is to be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TakeSavepoint {
    /// The directory that it goes under. Default: the job's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "s3://bucket/savepoints")]
    pub savepoint_path: Option<String>,
    /// How it is written: `canonical` or `native`. Default: `canonical` up to Flink 1.20, `native` from 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "canonical")]
    pub format: Option<SavepointFormat>,
}

/// To which release a job is to go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollBackJob {
    /// The number of the release.
    pub release: u64,
    /// Whether a job that does not run is started, and one that runs replaced where the change takes
    /// that. Default: true.
    #[serde(default = "yes")]
    pub start: bool,
    /// Whether it is done although it puts the state of the job at risk. Default: false.
    #[serde(default)]
    pub force: bool,
}

/// How a job is to be ended and started anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RestartJob {
    /// What becomes of its state: `stateful` (stop with a savepoint and start from it), `last-state`
    /// (cancel and start from the newest checkpoint) or `stateless`. Default: as the job file says;
    /// `last-state` where `from` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "stateful")]
    pub mode: Option<UpgradeMode>,
    /// From what it is started, as in `StartJob`. Default: from what `mode` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "latest")]
    pub from: Option<StartSource>,
    /// Whether state that no operator takes is dropped. Default: as the job file says.
    #[serde(skip_serializing_if = "is_false")]
    pub allow_non_restored_state: bool,
    /// What becomes of the snapshot: `claim`, `no-claim` or `legacy`. Default: Flink's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "no-claim")]
    pub restore_mode: Option<RestoreMode>,
    /// The directory that the savepoint before it goes under. Default: the job's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub savepoint_path: Option<String>,
    /// How that savepoint is written: `canonical` or `native`. Default: `canonical` up to Flink 1.20,
    /// `native` from 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "canonical")]
    pub format: Option<SavepointFormat>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_starts_from_is_read_from_its_text_and_written_as_it() {
        let id = "0192f0c1-a0b1-7c3e-8b8b-1f4f4c7d5e21";
        let path = |text: &str| StartSource::Path(text.to_owned());
        for (text, source) in [
            ("nothing", StartSource::Nothing),
            ("latest", StartSource::Latest),
            (id, StartSource::Snapshot(id.parse().expect("valid"))),
            ("/tmp/savepoint-1", path("/tmp/savepoint-1")),
            ("file:/tmp/savepoint-1", path("file:/tmp/savepoint-1")),
            ("s3://bucket/a b/chk-3", path("s3://bucket/a b/chk-3")),
        ] {
            assert_eq!(text.parse(), Ok(source.clone()), "{text}");
            assert_eq!(serde_json::to_value(&source).expect("a text"), text);
        }
    }

    #[test]
    fn what_is_neither_a_word_nor_an_id_nor_a_path_is_refused() {
        for text in
            ["", "lates", "Latest", "savepoints/1", "./a", "/", "s3://", "://a/b", "1:/a", "/a\nb"]
        {
            let error = text.parse::<StartSource>().expect_err(text).to_string();
            assert!(error.contains("latest, nothing"), "{error}");
        }
    }

    #[test]
    fn an_empty_request_asks_for_the_defaults_and_a_misspelt_field_is_refused() {
        assert_eq!(serde_json::from_str("{}").ok(), Some(StartJob::default()));
        assert_eq!(serde_json::from_str("{}").ok(), Some(StopJob::default()));
        assert_eq!(serde_json::from_str("{}").ok(), Some(RestartJob::default()));
        assert!(serde_json::from_str::<StartJob>(r#"{"form":"latest"}"#).is_err());
        assert!(serde_json::from_str::<StopJob>(r#"{"format":"Native"}"#).is_err());
    }
}
