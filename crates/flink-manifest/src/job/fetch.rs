//! Pods of the base image that fetch the files of their job: an init container puts them into a volume, and each is mounted
//! by itself where an image would have it, so that nothing of the image is hidden.
//!
//! ```text
//!   ConfigMap: the program ─┐                                 ┌─► /opt/flink/usrlib/job.jar
//!   Secret: files and links ┴► init container ─► emptyDir ────┴─► /opt/flink/lib/connector.jar
//! ```
//! Program and links lie beside the pod, not in it: Flink makes the pods of TaskManagers from a template as long as the job runs,
//! and each of them mounts what the Secret holds at that time.

use std::collections::BTreeMap;

use flumen_flink_conf::{Configuration, Value as Setting};
use flumen_model::{Namespace, RunId, Secret};
use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Secret as SecretObject},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde_json::{Value, json};

use super::{
    JobDeployment,
    templates::{add_mounts, list_in, object_in},
};
use crate::{Error, feature::USER_ARTIFACTS};

/// The directory that the init container fetches into: the path of a file in the pod stands below it.
pub const FETCHED: &str = "/flumen/files";
/// The entry of the `ConfigMap` that holds the program.
pub const PROGRAM_FILE: &str = "flumen-fetcher.jar";
/// The entry of the Secret that lists the files.
pub const LIST_FILE: &str = "files";

const ARTIFACT_LIST: &str = "user.artifacts.artifact-list";
const CONTAINER: &str = "flumen-fetch";
const FILES: &str = "flumen-files";
const PROGRAM: &str = "flumen-fetcher";
const PROGRAM_PATH: &str = "/flumen/fetcher";
const LINKS: &str = "flumen-links";
const LINKS_PATH: &str = "/flumen/links";

/// What the `ConfigMap` and the Secret of a run are called.
pub fn fetch_objects_name(run: RunId) -> String {
    format!("flumen-fetch-{run}")
}

/// What the init containers of a run mount.
#[derive(Debug)]
pub struct FetchObjects<'a> {
    /// The run.
    pub run: RunId,
    /// Where it runs.
    pub namespace: &'a Namespace,
    /// The labels of the run's other objects.
    pub labels: BTreeMap<String, String>,
}

impl FetchObjects<'_> {
    /// The `ConfigMap` with the program.
    pub fn program(&self, jar: &[u8]) -> Value {
        let entry = (PROGRAM_FILE.to_owned(), ByteString(jar.to_vec()));
        let object = ConfigMap {
            metadata: self.metadata(),
            binary_data: Some(BTreeMap::from([entry])),
            ..ConfigMap::default()
        };
        serde_json::to_value(object).unwrap_or_default()
    }

    /// The Secret with the files and their links.
    pub fn links(&self, list: &Secret) -> Value {
        let entry = (LIST_FILE.to_owned(), ByteString(list.expose().as_bytes().to_vec()));
        let object = SecretObject {
            metadata: self.metadata(),
            data: Some(BTreeMap::from([entry])),
            type_: Some("Opaque".to_owned()),
            ..SecretObject::default()
        };
        serde_json::to_value(object).unwrap_or_default()
    }

    fn metadata(&self) -> ObjectMeta {
        ObjectMeta {
            name: Some(fetch_objects_name(self.run)),
            namespace: Some(self.namespace.to_string()),
            labels: Some(self.labels.clone()),
            ..ObjectMeta::default()
        }
    }
}

/// Adds the init container, its volumes and the mounts of the files to a pod.
pub(super) fn add(pod: &mut Value, deployment: &JobDeployment) {
    if deployment.fetched.paths.is_empty() {
        return;
    }
    let name = fetch_objects_name(deployment.run);
    let Some(spec) = object_in(pod, "spec") else { return };
    if let Some(volumes) = list_in(spec, "volumes") {
        volumes.push(json!({"name": FILES, "emptyDir": {}}));
        volumes.push(json!({"name": PROGRAM, "configMap": {"name": name}}));
        volumes.push(json!({"name": LINKS, "secret": {"secretName": name}}));
    }
    if let Some(containers) = list_in(spec, "initContainers") {
        // First: one of the user's may need the files.
        containers.insert(0, container(&deployment.image));
    }
    let mount = |path: &String| {
        let below = path.trim_start_matches('/');
        json!({"name": FILES, "mountPath": path, "subPath": below, "readOnly": true})
    };
    let mounts: Vec<_> = deployment.fetched.paths.iter().map(mount).collect();
    add_mounts(spec, &mounts);
}

/// What Flink fetches itself beside the jar that is run.
pub(super) fn jars(
    deployment: &JobDeployment,
    settled: &Configuration,
) -> Result<Vec<(&'static str, Setting)>, Error> {
    if deployment.fetched.jars.is_empty() {
        return Ok(Vec::new());
    }
    let minor = deployment.version.minor();
    if !USER_ARTIFACTS.is_in(minor) {
        return Err(Error::Unsupported { minor, what: "fetching of its own (1.19 has)" });
    }
    let mut all = settled.list(ARTIFACT_LIST)?.unwrap_or_default();
    all.extend(deployment.fetched.jars.iter().cloned());
    Ok(vec![(ARTIFACT_LIST, Setting::List(all))])
}

/// Every image of Flink has Java, where Flink's own scripts find it too.
fn container(image: &str) -> Value {
    let command = format!(
        "exec \"${{JAVA_HOME:+$JAVA_HOME/bin/}}java\" -Xmx64m -jar {PROGRAM_PATH}/{PROGRAM_FILE} {LINKS_PATH}/{LIST_FILE} {FETCHED}"
    );
    json!({
        "name": CONTAINER,
        "image": image,
        "command": ["/bin/sh", "-c", command],
        // Less than any Flink process asks for, so that it changes nothing of what the pod asks for; with limits, as
        // a namespace with a quota refuses containers without.
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": FILES, "mountPath": FETCHED},
            {"name": PROGRAM, "mountPath": PROGRAM_PATH, "readOnly": true},
            {"name": LINKS, "mountPath": LINKS_PATH, "readOnly": true},
        ],
    })
}
