//! Scripts that Flink explains.

use std::collections::BTreeMap;

use flumen_model::{
    ConfigurationValue, Dependency, EnvironmentName, FlinkVersion, PodTemplates, Resources,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Artifact;

/// A script for Flink to explain, and what its job would have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainSql {
    /// The text of the script.
    pub script: String,
    /// The Flink version, which must have been added to the environment.
    #[schema(value_type = String, example = "1.20.5")]
    pub flink_version: FlinkVersion,
    /// Where the pod runs.
    #[schema(value_type = String, example = "local")]
    pub environment: EnvironmentName,
    /// What the job has beside the script, as in a job file. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub dependencies: Vec<Dependency>,
    /// The files that the dependencies name by path, uploaded before. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// The Flink configuration of the job, with dotted keys. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub configuration: BTreeMap<String, ConfigurationValue>,
    /// `parallelism.default` of the job. Default: what the configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
    /// CPU and memory of the job, as in a job file; the pod takes what its JobManager would take. Default: as for jobs.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub resources: Resources,
    /// Pod templates of the job, as in a job file. Default: none.
    #[serde(default, skip_serializing_if = "PodTemplates::is_empty")]
    #[schema(value_type = Object)]
    pub pod_templates: PodTemplates,
    /// How long it may take in seconds, from 1 to 900. Default: 120.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
}

/// What Flink says of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SqlExplanation {
    /// Whether Flink was asked: not where something is wrong that is found without it.
    pub explained: bool,
    /// What is wrong or doubtful as far as Flink is not needed, in the order of the script.
    pub findings: Vec<SqlFinding>,
    /// What is doubtful about the dependencies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// What Flink says of each statement, those of a set after it; empty where Flink was not asked.
    pub statements: Vec<SqlStatement>,
}

/// Something wrong or doubtful in a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SqlFinding {
    /// How bad it is.
    pub severity: SqlSeverity,
    /// A stable name.
    #[schema(example = "missingFactory")]
    pub code: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What it is.
    pub message: String,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SqlSeverity {
    /// Flink refuses the script for it.
    Error,
    /// It is doubtful.
    Warning,
}

/// A statement and what came of it. One that was carried out to explain what follows, such as CREATE TABLE, has nothing
/// more, and so has one that an error above kept from that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SqlStatement {
    /// What it is, by its first words.
    #[schema(example = "INSERT")]
    pub kind: String,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// The column that it begins in, in characters from 1.
    pub column: usize,
    /// Flink's plan. That of all INSERTs together is with the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Why it was passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why Flink refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SqlRefusal>,
}

/// Why Flink refuses a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SqlRefusal {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What Flink says, on one line. Places in it are places in the script.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Maven coordinates of the jar that is missing, with its version where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "org.apache.flink:flink-sql-connector-kafka:3.4.0-1.20")]
    pub coordinates: Option<String>,
}

impl SqlExplanation {
    /// How many errors there are, of Flink's and of those found without it.
    pub fn errors(&self) -> usize {
        let refused = self.statements.iter().filter(|one| one.error.is_some()).count();
        let wrong = self.findings.iter().filter(|one| one.severity == SqlSeverity::Error).count();
        refused + wrong
    }
}
