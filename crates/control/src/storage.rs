//! What lies in an environment's storage, where Flumen can look into it: directories of the node that the server shares
//! with the local cluster, and buckets of S3. Elsewhere nothing is claimed about it. That a look failed is no answer: it is
//! an error, and what wanted to know is tried again.

mod artifacts;
mod check;
mod keys;
mod plugin;
mod storages;
mod tree;

use flumen_lifecycle::{Outcome, plain_path};
use flumen_model::{ClusterId, RunId};
use serde::Deserialize;

pub use check::{Check, CheckOutcome};
pub(crate) use keys::put_keys;
pub use keys::{StorageKeys, own_storage_secret};
pub(crate) use plugin::{Delivery, delivery};
pub(crate) use storages::{Look, Storages};
use tree::Tree;

use crate::Error;

/// What Flink writes last into a snapshot: without it there is no snapshot.
const METADATA: &str = "_metadata";
/// How large a file may be that says how a job ended.
const RESULT_LIMIT: u64 = 1 << 20;

/// A storage whose files Flumen can read.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    tree: Tree,
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

impl Files {
    /// Whether a job can be started from what lies there.
    pub(crate) async fn usable(&self, uri: &str) -> Result<Usable, Error> {
        let Some(key) = self.tree.key(&plain_path(uri)) else { return Ok(Usable::CannotTell) };
        if self.tree.exists(&below(&key, METADATA)).await? {
            return Ok(Usable::Yes);
        }
        Ok(Usable::No(if self.tree.is_empty(&key).await? {
            format!("{uri} is not there")
        } else {
            format!(
                "{uri} has no {METADATA}: it is no savepoint or checkpoint, or one that was never completed"
            )
        }))
    }

    /// The complete savepoint in this directory.
    pub(crate) async fn savepoint_in(&self, directory: &str) -> Result<Option<String>, Error> {
        Ok(self.savepoints_in(directory).await?.pop())
    }

    /// All complete savepoints in this directory, sorted by name.
    pub(crate) async fn savepoints_in(&self, directory: &str) -> Result<Vec<String>, Error> {
        let Some(key) = self.tree.key(&plain_path(directory)) else { return Ok(Vec::new()) };
        let found = self.whole_below(&key).await?;
        Ok(found.iter().map(|name| self.tree.uri(&below(&key, name))).collect())
    }

    /// The newest complete checkpoint of the run, with Flink's number of it.
    pub(crate) async fn newest_checkpoint(
        &self,
        checkpoints: &str,
        run: RunId,
    ) -> Result<Option<(u64, String)>, Error> {
        let Some(key) = self.tree.key(&plain_path(checkpoints)) else { return Ok(None) };
        let key = below(&key, &run.to_string());
        let whole = self.whole_below(&key).await?;
        let numbers =
            whole.iter().filter_map(|name| name.strip_prefix("chk-")?.parse::<u64>().ok());
        Ok(numbers
            .max()
            .map(|number| (number, self.tree.uri(&below(&key, &format!("chk-{number}"))))))
    }

    /// How Flink says that the run ended, in the file that it leaves (1.15 and later).
    pub(crate) async fn outcome(
        &self,
        high_availability: &str,
        cluster: &ClusterId,
        run: RunId,
    ) -> Result<Option<Outcome>, Error> {
        let Some(key) = self.tree.key(&plain_path(high_availability)) else { return Ok(None) };
        let store = below(&below(&key, "job-result-store"), cluster.as_str());
        for name in [format!("{run}.json"), format!("{run}_DIRTY.json")] {
            let Some(text) = self.tree.read(&below(&store, &name), RESULT_LIMIT).await? else {
                continue;
            };
            let Ok(JobResult { result }) = serde_json::from_slice(&text) else { continue };
            return Ok(match result.application_status.as_str() {
                "SUCCEEDED" => Some(Outcome::Finished),
                "FAILED" => Some(Outcome::Failed),
                "CANCELED" => Some(Outcome::Canceled),
                _ => None,
            });
        }
        Ok(None)
    }

    /// Removes a directory of a forgotten job with all that is in it; nothing that is not of this storage.
    pub(crate) async fn remove(&self, uri: &str) -> Result<(), Error> {
        match self.tree.key(&plain_path(uri)).filter(|key| self.tree.owns(key)) {
            Some(key) => self.tree.remove_below(&key).await,
            None => Ok(()),
        }
    }

    /// The names of the directories in this one that hold a complete snapshot, sorted.
    async fn whole_below(&self, key: &str) -> Result<Vec<String>, Error> {
        let mut whole = Vec::new();
        for name in self.tree.folders(key).await? {
            if self.tree.exists(&below(&below(key, &name), METADATA)).await? {
                whole.push(name);
            }
        }
        Ok(whole)
    }
}

/// What an effect on a storage says whose answer was lost.
pub(crate) fn no_answer() -> Error {
    Error::file("reach", "the storage")(crate::error::no_answer())
}

/// The key of what is directly below another.
fn below(key: &str, name: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{key}/{name}") }
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

#[cfg(test)]
mod tests;
