//! The job as a user writes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ArtifactUrl, ByteSize, Digest, EnvironmentName, FlinkVersion, InterventionPolicy, JobName,
    LeftoverPolicy, PodTemplates, RestartPolicy, VariableName,
};

/// What the job file says, after its syntax was checked. The artifact is still the user's words:
/// a path beside the job file, an [`ArtifactUrl`], or `local:///…` for a file that the image has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobSpec {
    /// Unique in the environment.
    pub name: JobName,
    /// Where it runs; `local` is there from the start.
    pub environment: EnvironmentName,
    /// A cluster of its own, or a place in a session. Default: `application`.
    #[serde(default)]
    pub mode: Mode,
    /// The session, for `mode: session`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The Flink version, which must have been added to Flumen.
    pub flink_version: FlinkVersion,
    /// What the job is made from. Default: `jar`.
    #[serde(default)]
    pub kind: JobKind,
    /// The jar, script or program: a path relative to the job file, a URL, or (no script) `local:///…` inside the image.
    pub artifact: String,
    /// More files that the job needs, each with what it is for. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// The class with `main`. Default: the one that the jar's manifest names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_class: Option<String>,
    /// The module that Python runs. Default: the artifact itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Arguments for `main` or the Python program, passed as they are. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Values of the variables of a SQL script. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<VariableName, String>,
    /// `parallelism.default`. Default: what the configuration says, else 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
    /// Flink configuration with dotted keys (the file may nest them).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub configuration: BTreeMap<String, ConfigurationValue>,
    /// CPU and memory. Default: Flink's configuration, else Flumen's defaults.
    #[serde(default)]
    pub resources: Resources,
    /// Pod templates. Default: none.
    #[serde(default, skip_serializing_if = "PodTemplates::is_empty")]
    pub pod_templates: PodTemplates,
    /// How a change of a running job is carried out. Default: `stateful`.
    #[serde(default)]
    pub upgrade_mode: UpgradeMode,
    /// What follows a failure. Default: see [`RestartPolicy`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub restart_policy: RestartPolicy,
    /// What follows when someone else ends a run. Default: `accept`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interventions: InterventionPolicy,
    /// What becomes of what stands under the job's cluster id before a start. Default: `own`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub leftovers: LeftoverPolicy,
    /// Whether a start drops state that no operator takes. Default: no, the start fails.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allow_non_restored_state: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Something that the job needs beside the main artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dependency {
    /// A file.
    File(FileDependency),
    /// An artifact of a Maven repository, with what it depends on.
    Maven(MavenDependency),
    /// A file that the server fetches.
    Url(UrlDependency),
}

impl Dependency {
    /// What its files are for.
    pub fn role(&self) -> ArtifactRole {
        match self {
            Self::File(file) => file.role,
            Self::Maven(artifact) => artifact.role,
            Self::Url(file) => file.role,
        }
    }
}

/// A file that the server fetches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UrlDependency {
    /// Where it is.
    pub url: ArtifactUrl,
    /// The digest that it must have. Default: that of the URL, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// What the file is for. Default: `usrlib`.
    #[serde(default)]
    pub role: ArtifactRole,
}

impl UrlDependency {
    /// The digest that the file must have, if one is given.
    pub fn digest(&self) -> Option<&Digest> {
        self.sha256.as_ref().or(self.url.digest())
    }
}

/// A file beside the main artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileDependency {
    /// A path relative to the job file.
    pub path: String,
    /// What the file is for. Default: `usrlib`.
    #[serde(default)]
    pub role: ArtifactRole,
}

/// An artifact of a Maven repository, with what it depends on at run time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MavenDependency {
    /// `GROUP:ARTIFACT:VERSION` or `GROUP:ARTIFACT:TYPE[:CLASSIFIER]:VERSION`.
    pub maven: String,
    /// What is left out of what it depends on, `GROUP:ARTIFACT` where either may be `*`. Default: what Flink brings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// What the files are for. Default: `usrlib`.
    #[serde(default)]
    pub role: ArtifactRole,
}

/// Where a job runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// In a Flink cluster of its own.
    #[default]
    Application,
    /// In a session cluster, which many jobs share.
    Session,
}

/// What a job is made from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// A jar with a main class.
    #[default]
    Jar,
    /// A SQL script.
    Sql,
    /// A Python program.
    Python,
}

/// What an artifact is for, which decides where it lies in the image.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactRole {
    /// User code: `/opt/flink/usrlib`, loaded by the user class loader.
    #[default]
    Usrlib,
    /// A connector or format: `/opt/flink/lib`, loaded with Flink itself.
    Lib,
    /// A Flink plugin: a folder of its own under `/opt/flink/plugins`.
    Plugin,
    /// A SQL script.
    Script,
    /// A Python file, or an archive or wheel of packages.
    Python,
    /// An archive that Flink unpacks for Python: a virtual environment, data.
    Archive,
    /// A file of requirements, whose packages are added to the image.
    Requirements,
    /// A wheel that came of requirements; no job file names one.
    Wheel,
}

impl ArtifactRole {
    /// The role as it stands in a job file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usrlib => "usrlib",
            Self::Lib => "lib",
            Self::Plugin => "plugin",
            Self::Script => "script",
            Self::Python => "python",
            Self::Archive => "archive",
            Self::Requirements => "requirements",
            Self::Wheel => "wheel",
        }
    }
}

/// How a changed job takes the place of the running one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpgradeMode {
    /// Stop with a savepoint and start from it.
    #[default]
    Stateful,
    /// Start from the newest checkpoint, also when the job does not run.
    LastState,
    /// Cancel and start with empty state.
    Stateless,
}

/// One value of the Flink configuration as YAML typed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConfigurationValue {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<ConfigurationValue>),
    /// A map: only where the option itself is map-typed.
    Map(BTreeMap<String, ConfigurationValue>),
}

/// What the pods ask of Kubernetes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// The JobManager's share.
    #[serde(default)]
    pub job_manager: JobManagerResources,
    /// Each TaskManager's share.
    #[serde(default)]
    pub task_manager: TaskManagerResources,
}

/// The JobManager's share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobManagerResources {
    /// `kubernetes.jobmanager.cpu.amount`, in cores. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// `jobmanager.memory.process.size`. Default: 1600m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    /// `kubernetes.jobmanager.replicas`. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
}

/// Each TaskManager's share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskManagerResources {
    /// `kubernetes.taskmanager.cpu.amount`, in cores. Default: as many as slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// `taskmanager.memory.process.size`. Default: 1728m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    /// `taskmanager.numberOfTaskSlots`. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str =
        r#"{"name":"a","environment":"local","flinkVersion":"1.20.5","artifact":"a.jar"}"#;

    #[test]
    fn the_smallest_job_has_the_documented_defaults() {
        let job: JobSpec = serde_json::from_str(SMALLEST).expect("valid");
        assert_eq!(
            (job.mode, job.kind, job.upgrade_mode),
            (Mode::Application, JobKind::Jar, UpgradeMode::Stateful)
        );
        assert!(job.arguments.is_empty() && job.configuration.is_empty());
    }

    #[test]
    fn a_key_that_is_not_known_is_refused_by_name() {
        let text = SMALLEST.replace("\"artifact\"", "\"paralelism\":2,\"artifact\"");
        let error = serde_json::from_str::<JobSpec>(&text).expect_err("unknown key");
        assert!(error.to_string().contains("paralelism"), "{error}");
    }

    #[test]
    fn configuration_values_keep_their_type() {
        let text = SMALLEST
            .replace('}', r#","configuration":{"a":1,"b":"1","c":true,"d":[1,"x"],"e":0.5}}"#);
        let job: JobSpec = serde_json::from_str(&text).expect("valid");
        assert_eq!(job.configuration["a"], ConfigurationValue::Integer(1));
        assert_eq!(job.configuration["b"], ConfigurationValue::Text("1".into()));
        assert_eq!(serde_json::to_string(&job.configuration["d"]).expect("json"), r#"[1,"x"]"#);
    }
}
