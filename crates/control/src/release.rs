//! What a release is made of, and the hash of that.

use flumen_flink_dist::PYTHON_PACKAGES;
use flumen_flink_manifest::USRLIB;
use flumen_lifecycle::is_policy;
use flumen_model::{
    ArtifactRole, BASE_PACKAGES, Dependency, EnvironmentName, JobSpec, ReleaseId, is_wheel,
};
use flumen_sql_runner::{FILE_NAME, JAR_NAME};
use flumen_store::{ReleaseArtifact, ReleaseContent, ScriptNeeds};
use serde_json::{Map, Value};

use crate::{Error, identity};

/// The keys of the job file that say where it runs or where its files were, not what it is.
const NOT_CONTENT: [&str; 3] = ["environment", "artifact", DEPENDENCIES];
const DEPENDENCIES: &str = "dependencies";

/// The content of the release that this job file and these artifacts make.
pub(crate) fn content(
    spec: &JobSpec,
    artifacts: Vec<ReleaseArtifact>,
    script: ScriptNeeds,
) -> ReleaseContent {
    let mut job = match serde_json::to_value(spec) {
        Ok(Value::Object(job)) => job,
        Ok(_) | Err(_) => Map::new(),
    };
    job.retain(|key, _| !is_policy(key));
    for key in NOT_CONTENT {
        // The path of an artifact that is in the image already is content: nothing else says which.
        if !(key == "artifact" && is_in_image(&spec.artifact)) {
            job.remove(key);
        }
    }
    // So that going back to a release gives a job file that asks for the same.
    let is_maven = |one: &&Dependency| matches!(one, Dependency::Maven(_));
    let from_maven: Vec<_> = spec.dependencies.iter().filter(is_maven).collect();
    if let Ok(value) = serde_json::to_value(&from_maven)
        && !from_maven.is_empty()
    {
        job.insert(DEPENDENCIES.to_owned(), value);
    }
    ReleaseContent { flink_version: spec.flink_version, artifacts, job, script }
}

/// Whether Flumen made the artifact itself: it follows from the others, and from the version of Flumen.
pub(crate) fn is_generated(name: &str) -> bool {
    [JAR_NAME, FILE_NAME].contains(&name)
}

/// Whether the artifact is a file of the image rather than one that is uploaded.
pub(crate) fn is_in_image(artifact: &str) -> bool {
    artifact.starts_with("local:")
}

/// Where the packages of a job lie in its image, which Python looks through before those of the base image.
pub(crate) const JOB_PACKAGES: &str = "/opt/python/job";

/// Where Python looks for packages in the image of a job that brings some.
pub(crate) fn python_path() -> String {
    format!("{JOB_PACKAGES}:{BASE_PACKAGES}:{PYTHON_PACKAGES}")
}

/// Whether the artifact is a wheel, which lies unpacked in the image.
pub(crate) fn is_package(artifact: &ReleaseArtifact) -> bool {
    match artifact.role {
        ArtifactRole::Wheel => true,
        ArtifactRole::Python => is_wheel(&artifact.name),
        _ => false,
    }
}

/// Where a file of the job lies in its image, which is what its role is. Of a wheel it is where its content lies, and
/// requirements do not get there.
pub(crate) fn path_in_image(artifact: &ReleaseArtifact) -> String {
    let name = &artifact.name;
    if is_package(artifact) {
        return format!("{JOB_PACKAGES}/{name}");
    }
    match artifact.role {
        ArtifactRole::Usrlib
        | ArtifactRole::Script
        | ArtifactRole::Python
        | ArtifactRole::Archive
        | ArtifactRole::Requirements
        | ArtifactRole::Wheel => {
            format!("{USRLIB}/{name}")
        }
        ArtifactRole::Lib => format!("/opt/flink/lib/{name}"),
        ArtifactRole::Plugin => {
            let folder = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
            format!("/opt/flink/plugins/{folder}/{name}")
        }
    }
}

/// The id of a release: the hash of its content as JSON with sorted keys.
pub(crate) fn id(content: &ReleaseContent) -> ReleaseId {
    let value = serde_json::to_value(content).unwrap_or_default();
    let mut text = String::new();
    write_canonical(&value, &mut text);
    ReleaseId::new(identity::sha256(text.as_bytes()))
}

/// The job file again, for this environment.
pub(crate) fn spec(
    content: &ReleaseContent,
    environment: &EnvironmentName,
) -> Result<JobSpec, Error> {
    let mut job = content.job.clone();
    job.insert("environment".to_owned(), Value::String(environment.to_string()));
    if let Some(artifact) = content.artifacts.first() {
        job.entry("artifact").or_insert_with(|| Value::String(artifact.name.clone()));
    }
    serde_json::from_value(Value::Object(job)).map_err(|error| Error::Invalid {
        message: format!(
            "the release {} cannot be read by this version of Flumen: {error}",
            id(content).short()
        ),
    })
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (place, key) in keys.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write_canonical(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec_of(change: &str) -> JobSpec {
        let text = format!(
            r#"{{"name":"a","environment":"local","flinkVersion":"1.20.5","artifact":"x/a.jar"{change}}}"#
        );
        serde_json::from_str(&text).expect("valid")
    }

    fn artifact(content: &[u8]) -> Vec<ReleaseArtifact> {
        let digest = identity::sha256(content);
        vec![ReleaseArtifact {
            name: "a.jar".into(),
            digest,
            size: 1,
            role: ArtifactRole::Usrlib,
            maven: None,
        }]
    }

    fn of(change: &str, bytes: &[u8]) -> ReleaseContent {
        content(&spec_of(change), artifact(bytes), ScriptNeeds::default())
    }

    #[test]
    fn the_same_inputs_make_the_same_release_in_any_environment() {
        let local = of("", b"1");
        let mut elsewhere = spec_of("");
        elsewhere.environment = "prod".parse().expect("valid");
        elsewhere.artifact = "other/place/a.jar".into();
        assert_eq!(id(&local), id(&content(&elsewhere, artifact(b"1"), ScriptNeeds::default())));
    }

    #[test]
    fn other_bytes_arguments_or_configuration_make_another_release() {
        let first = id(&of("", b"1"));
        assert_ne!(first, id(&of("", b"2")));
        assert_ne!(first, id(&of(r#","arguments":["x"]"#, b"1")));
        assert_ne!(first, id(&of(r#","configuration":{"a":1}"#, b"1")));
    }

    #[test]
    fn a_release_gives_the_job_file_back() {
        let content = of(r#","parallelism":3"#, b"1");
        let spec = spec(&content, &"prod".parse().expect("valid")).expect("reads back");
        assert_eq!((spec.parallelism, spec.artifact.as_str()), (Some(3), "a.jar"));
        assert_eq!(spec.environment.as_str(), "prod");
    }
}
