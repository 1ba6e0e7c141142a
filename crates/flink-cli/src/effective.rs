//! The effective configuration: the file, then what the command line says.

use std::{fs, path::Path};

use flumen_flink_conf::{
    Configuration, ConfigurationFormat, Finding, Strictness, check, parse_configuration_file,
};
use flumen_flink_manifest::java_options_of_distribution;
use flumen_model::FlinkMinor;

use crate::{Error, Surroundings, command_line::CommandLine, home::Home, yarn};

pub(crate) const TARGET: &str = "execution.target";
pub(crate) const CLUSTER_ID: &str = "kubernetes.cluster-id";
pub(crate) const REMOTE: &str = "remote";
pub(crate) const SESSION: &str = "kubernetes-session";
pub(crate) const APPLICATION: &str = "kubernetes-application";

/// What a distribution's own configuration file says.
const DEFAULTS: [(&str, &str); 6] = [
    ("jobmanager.rpc.address", "localhost"),
    ("jobmanager.rpc.port", "6123"),
    ("jobmanager.memory.process.size", "1600m"),
    ("taskmanager.memory.process.size", "1728m"),
    ("taskmanager.numberOfTaskSlots", "1"),
    ("parallelism.default", "1"),
];

/// What the configuration folder says.
pub(crate) fn from_folder(
    home: &Home,
    surroundings: &mut Surroundings<'_>,
) -> Result<Configuration, Error> {
    let minor = home.version.minor();
    let Some(folder) = &home.configuration else {
        let mut configuration = Configuration::new(minor);
        for (key, text) in DEFAULTS {
            configuration.set_text(key, text);
        }
        if let Some((key, text)) = java_options_of_distribution(minor) {
            configuration.set_text(key, text);
        }
        return Ok(configuration);
    };
    let format = format_in(folder, minor);
    let path = folder.join(format.file_name());
    let text = fs::read_to_string(&path).map_err(|source| Error::ReadFile {
        what: "the configuration file",
        path: path.clone(),
        source,
    })?;
    let parsed = parse_configuration_file(&text, minor, format)
        .map_err(|source| Error::ParseConfiguration { path: path.clone(), source })?;
    for skipped in &parsed.skipped {
        let (path, line) = (path.display(), skipped.line);
        surroundings.warn(format_args!("{path}, line {line} {}; Flink skips it", skipped.why));
    }
    Ok(parsed.configuration)
}

/// Which of the two files is read. 1.19 and 1.20 prefer the older one where it is there.
fn format_in(folder: &Path, minor: FlinkMinor) -> ConfigurationFormat {
    let legacy = ConfigurationFormat::Legacy;
    let can_be_either = legacy.is_read_by(minor) && ConfigurationFormat::Standard.is_read_by(minor);
    if can_be_either && folder.join(legacy.file_name()).is_file() {
        return legacy;
    }
    ConfigurationFormat::of(minor)
}

/// Applies the command line to what the file says.
pub(crate) fn apply(
    mut configuration: Configuration,
    line: &CommandLine,
    surroundings: &mut Surroundings<'_>,
) -> Result<Configuration, Error> {
    let generic =
        configuration.is_set(TARGET) || line.value("e").is_some() || line.value("t").is_some();
    if line.value("m").is_some_and(yarn::is_target) {
        return Err(unsupported_yarn("-m yarn-cluster"));
    }
    if generic {
        if let Some(target) = line.value("t").or(line.value("e")) {
            configuration.set_text(TARGET, target);
        }
    } else {
        configuration.set_text(TARGET, REMOTE);
        if let Some(namespace) = line.value("z") {
            configuration.set_text("high-availability.cluster-id", namespace);
        }
    }
    for (key, value) in line.properties() {
        configuration.set_text(key, value);
    }
    let target = target(&configuration);
    if yarn::is_target(&target) {
        return Err(unsupported_yarn(&format!("the target {target:?}")));
    }
    if line.value("m").is_some() && target != REMOTE {
        surroundings.warn(format_args!("-m is not used for the target {target}"));
    }
    Ok(configuration)
}

/// The target, in the spelling that Flink knows it by.
pub(crate) fn target(configuration: &Configuration) -> String {
    let text = configuration
        .get(TARGET)
        .map(|value| value.to_text(configuration.format()).trim().to_owned())
        .unwrap_or_default();
    let known = [REMOTE, SESSION, APPLICATION];
    known
        .iter()
        .find(|known| text.eq_ignore_ascii_case(known))
        .map_or(text, |known| (*known).to_owned())
}

/// What may be wrong with what the user gave, as warnings: it is passed on as Flink's client does.
pub(crate) fn doubts(configuration: &Configuration) -> Vec<Finding> {
    check(configuration, Strictness::DropIn)
}

fn unsupported_yarn(what: &str) -> Error {
    Error::Unsupported {
        what: format!("{what} means YARN, which Flumen does not deploy to"),
        instead: yarn::INSTEAD.to_owned(),
    }
}
