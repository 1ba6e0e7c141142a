//! A job's pod templates with the environment's storage volume in them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{JobDeployment, StorageVolume, VolumeSource, fetch};
use crate::{
    Error,
    feature::POD_TEMPLATES,
    keys::{JOB_MANAGER_TEMPLATE, TASK_MANAGER_TEMPLATE},
    template::{self, MAIN_CONTAINER},
};

const VOLUME: &str = "flumen-storage";
const JOB_MANAGER_PATH: &str = "/flumen/jobmanager-pod-template.yaml";
const TASK_MANAGER_PATH: &str = "/flumen/taskmanager-pod-template.yaml";

/// The options that name the templates.
type Paths = Vec<(&'static str, &'static str)>;

/// The templates by path, and the options that name the paths.
pub(super) fn build(
    deployment: &JobDeployment,
) -> Result<(BTreeMap<String, String>, Paths), Error> {
    let templates = &deployment.pod_templates;
    let volume = deployment.storage.volume.as_ref();
    let fetches = !deployment.fetched.paths.is_empty();
    let mut files = BTreeMap::new();
    let mut paths = Vec::new();
    for (key, path, own) in [
        (JOB_MANAGER_TEMPLATE, JOB_MANAGER_PATH, &templates.job_manager),
        (TASK_MANAGER_TEMPLATE, TASK_MANAGER_PATH, &templates.task_manager),
    ] {
        let given = own.as_ref().or(templates.common.as_ref());
        if given.is_none() && volume.is_none() && !fetches {
            continue;
        }
        let minor = deployment.version.minor();
        if !POD_TEMPLATES.is_in(minor) {
            let what = match given {
                Some(_) => "pod templates",
                None if fetches => "pod templates for delivery by an init container",
                None => "pod templates for its storage",
            };
            return Err(Error::Unsupported { minor, what });
        }
        let text = render(path, given, deployment)?;
        // What Kubernetes would refuse much later is found here.
        template::parse(path, &text)?;
        paths.push((key, path));
        files.insert(path.to_owned(), text);
    }
    Ok((files, paths))
}

fn render(
    path: &str,
    given: Option<&Map<String, Value>>,
    deployment: &JobDeployment,
) -> Result<String, Error> {
    let mut pod = Map::new();
    pod.insert("apiVersion".to_owned(), "v1".into());
    pod.insert("kind".to_owned(), "Pod".into());
    pod.extend(given.cloned().unwrap_or_default());
    let mut pod = Value::Object(pod);
    if let Some(volume) = &deployment.storage.volume {
        add_volume(&mut pod, volume);
    }
    fetch::add(&mut pod, deployment);
    let mut text = String::new();
    serde_saphyr::to_fmt_writer(&mut text, &pod).map_err(|source| Error::WritePodTemplate {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    Ok(text)
}

fn add_volume(pod: &mut Value, volume: &StorageVolume) {
    let source = match &volume.source {
        VolumeSource::HostPath(path) => {
            json!({"name": VOLUME, "hostPath": {"path": path, "type": "DirectoryOrCreate"}})
        }
        VolumeSource::Claim(claim) => {
            json!({"name": VOLUME, "persistentVolumeClaim": {"claimName": claim}})
        }
    };
    let mount = json!({"name": VOLUME, "mountPath": volume.mount_path});
    let Some(spec) = object_in(pod, "spec") else { return };
    if let Some(volumes) = list_in(spec, "volumes") {
        volumes.push(source);
    }
    add_mounts(spec, &[mount]);
}

/// Mounts something into the container of Flink, made if the template has none.
pub(super) fn add_mounts(spec: &mut Map<String, Value>, added: &[Value]) {
    let Some(containers) = list_in(spec, "containers") else { return };
    let is_main = |container: &&mut Value| container["name"] == MAIN_CONTAINER;
    if !containers.iter_mut().any(|container| is_main(&container)) {
        containers.push(json!({"name": MAIN_CONTAINER}));
    }
    for main in containers.iter_mut().filter(is_main) {
        if let Some(mounts) = main.as_object_mut().and_then(|main| list_in(main, "volumeMounts")) {
            mounts.extend(added.iter().cloned());
        }
    }
}

/// The map under `key`, made if it is missing. `None` if something else stands there, which
/// [`template::parse`] then refuses.
pub(super) fn object_in<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Map<String, Value>> {
    let entry = value.as_object_mut()?.entry(key).or_insert(Value::Null);
    if entry.is_null() {
        *entry = Value::Object(Map::new());
    }
    entry.as_object_mut()
}

/// The list under `key`, made if it is missing.
pub(super) fn list_in<'a>(
    map: &'a mut Map<String, Value>,
    key: &str,
) -> Option<&'a mut Vec<Value>> {
    let entry = map.entry(key).or_insert(Value::Null);
    if entry.is_null() {
        *entry = Value::Array(Vec::new());
    }
    entry.as_array_mut()
}
