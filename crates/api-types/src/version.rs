use flumen_model::FlinkVersion;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A Flink version that jobs may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Which one.
    #[schema(value_type = String, example = "1.20.5")]
    pub version: FlinkVersion,
    /// Whether it can be used.
    pub state: VersionState,
    /// Its base image by digest, once it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_image: Option<String>,
    /// What it was made from.
    pub source: VersionSource,
    /// When it was added.
    pub added_at: Timestamp,
    /// Why it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a Flink version can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum VersionState {
    /// Its base image is being made.
    Adding,
    /// Jobs may use it.
    Ready,
    /// Its base image could not be made.
    Failed,
}

impl VersionState {
    /// The word as it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adding => "adding",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// A Flink version to be made available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddVersion {
    /// Which one.
    #[schema(value_type = String, example = "1.20.5")]
    pub version: FlinkVersion,
    /// Where its files come from.
    pub source: VersionSource,
}

/// Where the files of a Flink version come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum VersionSource {
    /// An unpacked Flink distribution: an absolute path on the server's machine.
    Directory(String),
    /// The `apache-flink` and `apache-flink-libraries` packages of the Python package index; always
    /// `true`.
    PythonPackages(bool),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_version_is_one_key() {
        let text = r#"{"version":"1.20.5","source":{"pythonPackages":true}}"#;
        let add: AddVersion = serde_json::from_str(text).expect("valid");
        assert_eq!(add.source, VersionSource::PythonPackages(true));
        assert_eq!(serde_json::to_string(&add).expect("json"), text);
    }
}
