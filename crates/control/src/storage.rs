//! What lies in an environment's storage, where Flumen can look into it: so far the directories of the
//! node that the server shares with the local cluster. Elsewhere nothing is claimed about it.

use std::path::{Component, Path, PathBuf};

use flumen_lifecycle::{Outcome, plain_path};
use flumen_model::{ClusterId, RunId};
use flumen_store::{EnvironmentDocument, Storage};
use serde::Deserialize;

use crate::environments::LOCAL;

/// What Flink writes last into a snapshot: without it there is no snapshot.
const METADATA: &str = "_metadata";

/// A storage whose files Flumen can read.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// Where they lie on this machine.
    root: PathBuf,
    /// Where Flink sees them.
    mount: String,
}

/// Whether a snapshot can be started from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Usable {
    /// It is there and whole.
    Yes,
    /// Something is missing, as the text says.
    No(String),
    /// It lies where Flumen cannot look.
    CannotTell,
}

/// The storage of the environment, if Flumen can look into it.
pub(crate) fn files(environment: &EnvironmentDocument) -> Option<Files> {
    let Storage::HostPath { host_path, mount_path } = &environment.storage;
    (environment.cluster == LOCAL).then(|| Files {
        root: host_path.into(),
        mount: mount_path.trim_end_matches('/').to_owned(),
    })
}

impl Files {
    /// The file of this machine that Flink sees there; none outside of the storage.
    fn local(&self, uri: &str) -> Option<PathBuf> {
        let path = plain_path(uri);
        let rest = path.strip_prefix(&self.mount)?;
        let below = Path::new(rest.trim_start_matches('/'));
        let inside = rest.is_empty() || rest.starts_with('/');
        let plain = below.components().all(|part| matches!(part, Component::Normal(_)));
        (inside && plain).then(|| self.root.join(below))
    }

    /// As Flink writes it.
    fn uri(&self, local: &Path) -> Option<String> {
        let below = local.strip_prefix(&self.root).ok()?;
        Some(format!("file:{}/{}", self.mount, below.display()))
    }

    /// Whether a job can be started from what lies there.
    pub(crate) async fn usable(&self, uri: &str) -> Usable {
        let Some(directory) = self.local(uri) else { return Usable::CannotTell };
        match tokio::fs::metadata(directory.join(METADATA)).await {
            Ok(_) => Usable::Yes,
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Usable::No(format!("{uri} cannot be read: {error}"))
            }
            Err(_) if tokio::fs::metadata(&directory).await.is_ok() => Usable::No(format!(
                "{uri} has no {METADATA}: it is no savepoint or checkpoint, or one that was never completed"
            )),
            Err(_) => Usable::No(format!("{uri} is not there")),
        }
    }

    /// The complete savepoint in this directory.
    pub(crate) async fn savepoint_in(&self, directory: &str) -> Option<String> {
        self.savepoints_in(directory).await.pop()
    }

    /// All complete savepoints in this directory, sorted by name.
    pub(crate) async fn savepoints_in(&self, directory: &str) -> Vec<String> {
        let Some(directory) = self.local(directory) else { return Vec::new() };
        let mut found = whole_below(&directory).await;
        found.sort();
        found.iter().filter_map(|path| self.uri(path)).collect()
    }

    /// The newest complete checkpoint of the run, with Flink's number of it.
    pub(crate) async fn newest_checkpoint(
        &self,
        checkpoints: &str,
        run: RunId,
    ) -> Option<(u64, String)> {
        let directory = self.local(checkpoints)?.join(run.to_string());
        let numbered = |path: PathBuf| {
            let number = path.file_name()?.to_str()?.strip_prefix("chk-")?.parse::<u64>().ok()?;
            Some((number, path))
        };
        let newest = whole_below(&directory).await.into_iter().filter_map(numbered).max()?;
        Some((newest.0, self.uri(&newest.1)?))
    }

    /// How Flink says that the run ended, in the file that it leaves (1.15 and later).
    pub(crate) async fn outcome(
        &self,
        high_availability: &str,
        cluster: &ClusterId,
        run: RunId,
    ) -> Option<Outcome> {
        let store = self.local(high_availability)?.join("job-result-store").join(cluster.as_str());
        for name in [format!("{run}.json"), format!("{run}_DIRTY.json")] {
            let Ok(text) = tokio::fs::read(store.join(name)).await else { continue };
            let Ok(JobResult { result }) = serde_json::from_slice(&text) else { continue };
            return match result.application_status.as_str() {
                "SUCCEEDED" => Some(Outcome::Finished),
                "FAILED" => Some(Outcome::Failed),
                "CANCELED" => Some(Outcome::Canceled),
                _ => None,
            };
        }
        None
    }

    /// Removes a directory of a forgotten job with all that is in it.
    pub(crate) async fn remove(&self, uri: &str) -> std::io::Result<()> {
        let Some(directory) = self.local(uri).filter(|path| *path != self.root) else {
            return Ok(());
        };
        match tokio::fs::remove_dir_all(&directory).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct JobResult {
    result: ResultEntry,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ResultEntry {
    application_status: String,
}

/// The directories in this one that hold a complete snapshot.
async fn whole_below(directory: &Path) -> Vec<PathBuf> {
    let mut whole = Vec::new();
    let Ok(mut entries) = tokio::fs::read_dir(directory).await else { return whole };
    while let Ok(Some(entry)) = entries.next_entry().await {
        if tokio::fs::metadata(entry.path().join(METADATA)).await.is_ok() {
            whole.push(entry.path());
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(root: &Path) -> Files {
        Files { root: root.to_owned(), mount: "/opt/flink/storage".to_owned() }
    }

    #[tokio::test]
    async fn only_what_has_its_metadata_can_be_started_from() {
        let root = tempfile::tempdir().unwrap();
        let files = storage(root.path());
        std::fs::create_dir_all(root.path().join("s/half")).unwrap();
        std::fs::create_dir_all(root.path().join("s/whole")).unwrap();
        std::fs::write(root.path().join("s/whole/_metadata"), "x").unwrap();
        let usable = |uri: &'static str| files.usable(uri);
        assert_eq!(usable("file:///opt/flink/storage/s/whole/").await, Usable::Yes);
        assert_eq!(usable("/opt/flink/storage/s/whole/_metadata").await, Usable::Yes);
        assert!(
            matches!(usable("file:/opt/flink/storage/s/half").await, Usable::No(why) if why.contains("_metadata"))
        );
        assert!(
            matches!(usable("file:/opt/flink/storage/s/none").await, Usable::No(why) if why.ends_with("is not there"))
        );
        for elsewhere in ["s3://bucket/s", "/opt/flink/storage/../../etc", "/opt/flink/storage2/s"]
        {
            assert_eq!(files.usable(elsewhere).await, Usable::CannotTell, "{elsewhere}");
        }
        let found = files.savepoint_in("file:///opt/flink/storage/s").await;
        assert_eq!(found.as_deref(), Some("file:/opt/flink/storage/s/whole"));
    }

    #[tokio::test]
    async fn the_newest_checkpoint_is_the_one_with_the_highest_number() {
        let root = tempfile::tempdir().unwrap();
        let run = RunId::from_bits(0xabc);
        for number in ["chk-9", "chk-10", "chk-11"] {
            let directory = root.path().join("c").join(run.to_string()).join(number);
            std::fs::create_dir_all(&directory).unwrap();
            if number != "chk-11" {
                std::fs::write(directory.join("_metadata"), "x").unwrap();
            }
        }
        let newest = storage(root.path()).newest_checkpoint("/opt/flink/storage/c", run).await;
        let uri = format!("file:/opt/flink/storage/c/{run}/chk-10");
        assert_eq!(newest, Some((10, uri)));
    }

    #[tokio::test]
    async fn the_result_that_flink_left_tells_how_a_run_ended() {
        let root = tempfile::tempdir().unwrap();
        let run = RunId::from_bits(0xabc);
        let cluster: ClusterId = "a".parse().unwrap();
        let store = root.path().join("ha/job-result-store/a");
        std::fs::create_dir_all(&store).unwrap();
        let told =
            || async { storage(root.path()).outcome("/opt/flink/storage/ha", &cluster, run).await };
        assert_eq!(told().await, None);
        let text = r#"{"result":{"id":"0","application-status":"CANCELED","accumulator-results":{},"net-runtime":5},"version":1}"#;
        std::fs::write(store.join(format!("{run}_DIRTY.json")), text).unwrap();
        assert_eq!(told().await, Some(Outcome::Canceled));
    }
}
