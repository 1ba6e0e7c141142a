use flumen_model::{EnvironmentName, FlinkVersion, JobName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A Flink version that the jobs of an environment may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Which one.
    #[schema(value_type = String, example = "1.20.5")]
    pub version: FlinkVersion,
    /// The environment.
    #[schema(value_type = String, example = "local")]
    pub environment: EnvironmentName,
    /// Its base image, by digest.
    pub base_image: String,
    /// What it was made from, in words.
    pub source: String,
    /// The version of its Python, where the image has one with PyFlink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// When it was added.
    pub added_at: Timestamp,
    /// The jobs of this version, by name; only where one version is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<VersionJob>,
}

/// A job and what it stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionJob {
    /// Its name.
    #[schema(value_type = String, example = "word-count")]
    pub name: JobName,
    /// The base image of its newest run, by digest; none before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_image: Option<String>,
}

/// A Flink version to be made available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddVersion {
    /// Which one.
    #[schema(value_type = String, example = "1.20.5")]
    pub version: FlinkVersion,
    /// The environment. Default: `local`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "local")]
    pub environment: Option<EnvironmentName>,
    /// Where its files come from.
    pub source: VersionSource,
    /// A directory with the packages of PyFlink, for the base image: an absolute path on the server's machine. Default: the
    /// image has no PyFlink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pyflink: Option<String>,
}

/// Where the files of a Flink version come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum VersionSource {
    /// An unpacked Flink distribution: an absolute path on the server's machine.
    Directory(String),
    /// An image in the environment's registry, by tag or by digest, such as `flumen image build` makes.
    Image(String),
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
