use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use flumen_model::{EnvironmentName, FlinkVersion, VariableName};

/// A script that Flink itself is to check, alone or as that of a job file, as the command line names both: one half of it
/// reads the options, the other asks the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScriptCheck {
    /// The script, or `-` for standard input. Default: that of the job file.
    pub script: Option<PathBuf>,
    /// The Flink version. Default: that of the job file.
    pub flink_version: Option<FlinkVersion>,
    /// Where the pod runs. Default: that of the job file, else that of the settings.
    pub environment: Option<EnvironmentName>,
    /// Maven coordinates of what the job will have.
    pub dependencies: Vec<String>,
    /// Jars that the job will have.
    pub jars: Vec<PathBuf>,
    /// Values of variables of the script, beside those of the job file.
    pub variables: BTreeMap<VariableName, String>,
    /// A file with one job, of which all but the script holds.
    pub job_file: Option<PathBuf>,
    /// How long it may take. Default: 2 minutes.
    pub timeout: Option<Duration>,
}
