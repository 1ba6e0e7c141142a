//! Keys that a job's configuration must not set, because the run, the release or the environment
//! decides them.

use flumen_flink_conf::Effective;

use crate::Error;

const OWNED: [(&str, &str); 14] = [
    ("kubernetes.cluster-id", "Flumen derives it from the job's name"),
    ("kubernetes.namespace", "the environment decides the namespace"),
    ("kubernetes.config.file", "the environment decides the cluster"),
    ("kubernetes.context", "the environment decides the cluster"),
    ("kubernetes.container.image", "the release decides the image"),
    ("kubernetes.container.image.ref", "the release decides the image"),
    ("kubernetes.pod-template-file", "write the template under podTemplates"),
    ("kubernetes.pod-template-file.default", "write the template under podTemplates"),
    ("kubernetes.pod-template-file.jobmanager", "write the template under podTemplates"),
    ("kubernetes.pod-template-file.taskmanager", "write the template under podTemplates"),
    ("execution.target", "the job's mode decides it"),
    ("high-availability.cluster-id", "it is always the job's cluster id"),
    ("pipeline.jars", "name the jar under artifact"),
    ("kubernetes.internal.jobmanager.entrypoint.class", "the job's mode decides it"),
];
const INTERNAL: &str = "$internal.";

pub(super) fn check(effective: &Effective) -> Result<(), Error> {
    for entry in effective.iter() {
        let key = entry.key.as_str();
        let owned = OWNED.iter().find(|(owned, _)| *owned == key).map(|(_, reason)| *reason);
        let internal = key.starts_with(INTERNAL).then_some("Flink keeps it for itself");
        if let Some(reason) = owned.or(internal) {
            return Err(Error::OwnedKey { key: key.to_owned(), layer: entry.layer, reason });
        }
    }
    Ok(())
}
