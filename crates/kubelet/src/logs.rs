//! What containers write, in the format of the container runtime interface, one file per attempt:
//!
//! ```text
//! 2026-01-02T03:04:05.678901234Z stdout F the line
//! ```
//! `P` instead of `F` marks a piece of a longer line that the next record continues.

mod read;
mod record;
mod write;

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

pub(crate) use read::{Query, finished, stream};
pub(crate) use write::{Growth, capture};

/// Why a log could not be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("could not keep the log {}", path.display())]
    Keep {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not make a pipe for a container's output")]
    Pipe(#[source] io::Error),
}

/// A log that is being written, or was.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) path: PathBuf,
    pub(crate) growth: watch::Receiver<Growth>,
}

/// The log of the attempt of a container that runs or will not be followed by another, and that of the attempt before.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) current: Option<Log>,
    pub(crate) previous: Option<Log>,
}

impl History {
    /// The attempt has ended, and another one will follow; the log of the one before is removed.
    fn retire(&mut self) {
        let Some(ended) = self.current.take() else { return };
        let kept = ended.path.clone();
        // An attempt that an earlier kubelet did not tell of has the number, and the log, of the next one.
        if let Some(forgotten) = self.previous.replace(ended).filter(|log| log.path != kept) {
            // What cannot be removed now goes with the pod.
            let _ = std::fs::remove_file(forgotten.path);
        }
    }
}

/// Names a container by pod uid and name.
pub(crate) type Key = (String, String);

/// The logs of all containers on this node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Logs {
    histories: Arc<Mutex<HashMap<Key, History>>>,
}

impl Logs {
    /// A new attempt of a container begins.
    pub(crate) fn begin(&self, key: Key, log: Log) {
        let mut histories = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        let history = histories.entry(key).or_default();
        history.retire();
        history.current = Some(log);
    }

    /// A container waits to be started again.
    pub(crate) fn retire(&self, key: &Key) {
        let mut histories = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(history) = histories.get_mut(key) {
            history.retire();
        }
    }

    /// The logs that an earlier kubelet left.
    pub(crate) fn adopt(&self, key: Key, history: History) {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner).insert(key, history);
    }

    pub(crate) fn find(&self, key: &Key) -> History {
        self.histories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
            .unwrap_or_default()
    }

    /// Forgets the logs of a pod.
    pub(crate) fn forget(&self, pod: &str) {
        self.histories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(uid, _), _| uid != pod);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_that_has_just_ended_stays() {
        let directory = tempfile::tempdir().unwrap();
        let log = |name: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, "").unwrap();
            finished(&path).unwrap()
        };
        let mut history = History { current: Some(log("1")), previous: Some(log("0")) };
        history.retire();
        assert!(!directory.path().join("0").exists());
        history.current = Some(log("1"));
        history.retire();
        assert!(directory.path().join("1").exists());
    }
}
