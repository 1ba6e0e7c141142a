//! The pod in which Flink explains a SQL script: that of the job's JobManager with another command. So it has the image, the
//! account, the limits, the network and the storage that the job would have, and fails where that would fail.

use std::{collections::BTreeMap, fmt::Write as _};

use flumen_flink_conf::job_manager_memory;
use flumen_model::RunId;
use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, KeyToPath, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{
    Error, JobPlan, MANAGED_BY_LABEL, MANAGER, Manifests, Mode, Object, Program, USRLIB,
    decorators::CONFIGURATION_VOLUME,
    job::labels::JOB_LABEL,
    names::{COMPONENT_LABEL, TYPE_LABEL},
    pod::FlinkPod,
    render,
};

/// The label of what was made to explain a script; its value is the explanation's name.
pub const EXPLANATION_LABEL: &str = "flumen.dev/sql-check";

/// What a client of Flink's logs by. Lines of a log between those of the runner are there for whoever looks for what went
/// wrong, and only that is of use there.
const LOGGING_FILE: &str = "log4j-cli.properties";
const LOGGING: &str = "\
rootLogger.level = ERROR
rootLogger.appenderRef.console.ref = Console
appender.console.type = CONSOLE
appender.console.name = Console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %-5p %c - %m%n
";

/// Which script is explained, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The runner.
    pub runner: Program,
    /// The names of the other jars in [`USRLIB`].
    pub jars: Vec<String>,
    /// The name of the file that the runner reads.
    pub file: String,
    /// What is in it.
    pub statements: String,
    /// How long the pod may run, in seconds, at least 1.
    pub seconds: i64,
}

/// What is created to explain a script.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplanationObjects {
    /// Created first.
    pub pod: Pod,
    /// Flink's configuration and the script, of the same name; the pod waits for it and owns it.
    pub config_map: ConfigMap,
    /// The container whose log has the report.
    pub container: String,
}

/// Turns a run that would be one of the script into what explains it. The run's cluster id is the name of both objects.
///
/// # Errors
/// As [`render()`]: what Flink's client would refuse of the run.
pub fn explanation(plan: &JobPlan, explanation: &Explanation) -> Result<ExplanationObjects, Error> {
    let Manifests { names, namespace, deployment, accompanying, configuration, .. } =
        render(&plan.spec)?;
    let name = names.cluster_id().to_owned();
    let template = deployment.spec.unwrap_or_default().template;
    let (template, spec) = (template.metadata.unwrap_or_default(), template.spec);
    let metadata = metadata(&name, &namespace, template);
    let main = spec.iter().flat_map(|spec| &spec.containers).next_back();
    let container = main.map(|main| main.name.clone()).unwrap_or_default();
    let pod = Pod { metadata: metadata.clone(), spec, status: None };
    let mut pod = FlinkPod::from_pod(pod, &container);
    let memory = job_manager_memory(&configuration)?.jvm_flags();
    let more = match &plan.spec.mode {
        Mode::Application(application) => application.class_paths.as_slice(),
        Mode::Session => &[],
    };
    start(&mut pod.main, (explanation, more), &memory);
    let config_map = ConfigMap {
        metadata: ObjectMeta { annotations: None, ..metadata },
        data: Some(files(accompanying, &names.configuration(), explanation)),
        ..ConfigMap::default()
    };
    let files = config_map.data.iter().flatten().map(|(file, _)| file.as_str()).collect::<Vec<_>>();
    let mut spec = pod.spec;
    volumes(&mut spec, &mut pod.main, (&name, &names.pod_template()), &files);
    // What is first is what is looked at where a version calls it otherwise.
    spec.containers.insert(0, pod.main);
    spec.restart_policy = Some("Never".to_owned());
    spec.active_deadline_seconds = Some(explanation.seconds);
    let pod = Pod { metadata: pod.metadata, spec: Some(spec), status: None };
    Ok(ExplanationObjects { pod, config_map, container })
}

/// The user's labels and annotations stay: a cluster may want them of every pod. Those by which Flink's own pods are found
/// go.
fn metadata(name: &str, namespace: &str, template: ObjectMeta) -> ObjectMeta {
    let mut labels = template.labels.unwrap_or_default();
    labels.retain(|label, _| ![TYPE_LABEL, COMPONENT_LABEL, JOB_LABEL].contains(&label.as_str()));
    labels.insert(MANAGED_BY_LABEL.to_owned(), MANAGER.to_owned());
    labels.insert(EXPLANATION_LABEL.to_owned(), name.to_owned());
    let mut annotations = template.annotations.unwrap_or_default();
    annotations.remove(RunId::ANNOTATION);
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some(labels),
        annotations: (!annotations.is_empty()).then_some(annotations),
        ..ObjectMeta::default()
    }
}

/// Flink's own command line, which reads the configuration and loads plugins and the user's classes as a JobManager does.
fn start(main: &mut Container, (explanation, more): (&Explanation, &[String]), memory: &str) {
    let Explanation { runner, jars, file, .. } = explanation;
    let directory = configuration_directory(main);
    let mut arguments: Vec<String> = ["flink", "run", "-t", "local"].map(str::to_owned).to_vec();
    // It takes the place of `pipeline.classpaths`.
    let jars = jars.iter().map(|jar| format!("file://{USRLIB}/{}", encoded(jar)));
    for url in more.iter().cloned().chain(jars) {
        arguments.extend(["-C".to_owned(), url]);
    }
    if let Some(class) = &runner.main_class {
        arguments.extend(["-c".to_owned(), class.clone()]);
    }
    arguments.extend(runner.jar.clone());
    arguments.extend(["--explain", "--json"].map(str::to_owned));
    arguments.push(format!("{directory}/{file}"));
    main.args = Some(arguments);
    main.ports = None;
    // They ask for a JobManager.
    (main.liveness_probe, main.readiness_probe, main.startup_probe) = (None, None, None);
    let variables = main.env.get_or_insert_default();
    for (name, value) in [("JVM_ARGS", memory), ("FLINK_CONF_DIR", directory.as_str())] {
        if !variables.iter().any(|variable| variable.name == name) {
            let value = Some(value.to_owned());
            variables.push(EnvVar { name: name.to_owned(), value, value_from: None });
        }
    }
}

fn configuration_directory(main: &Container) -> String {
    let mounts = main.volume_mounts.as_deref().unwrap_or_default();
    let mount = mounts.iter().find(|mount| mount.name == CONFIGURATION_VOLUME);
    mount.map(|mount| mount.mount_path.trim_end_matches('/').to_owned()).unwrap_or_default()
}

/// Flink's configuration as the JobManager would get it, the script, and what the client logs by.
fn files(
    objects: Vec<Object>,
    configuration: &str,
    explanation: &Explanation,
) -> BTreeMap<String, String> {
    let found = objects.into_iter().find_map(|object| match object {
        Object::ConfigMap(found) if found.metadata.name.as_deref() == Some(configuration) => {
            found.data
        }
        _ => None,
    });
    let mut files = found.unwrap_or_default();
    files.insert(LOGGING_FILE.to_owned(), LOGGING.to_owned());
    files.insert(explanation.file.clone(), explanation.statements.clone());
    files
}

/// The volume with the configuration has all files; what TaskManagers would be made from is not there.
fn volumes(
    spec: &mut PodSpec,
    main: &mut Container,
    (name, pod_template): (&str, &str),
    files: &[&str],
) {
    let mut dropped = Vec::new();
    spec.volumes.get_or_insert_default().retain_mut(|volume| {
        let Some(source) = &mut volume.config_map else { return true };
        if source.name == pod_template {
            dropped.push(volume.name.clone());
            return false;
        }
        if volume.name == CONFIGURATION_VOLUME {
            name.clone_into(&mut source.name);
            let item = |file: &&str| KeyToPath {
                key: (*file).to_owned(),
                path: (*file).to_owned(),
                mode: None,
            };
            source.items = Some(files.iter().map(item).collect());
        }
        true
    });
    if let Some(mounts) = &mut main.volume_mounts {
        mounts.retain(|mount| !dropped.contains(&mount.name));
    }
}

/// A file name as it stands in a URL.
fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
