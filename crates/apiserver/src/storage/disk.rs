//! The thread that waits for the disk, so that many writes share one wait and no request blocks a worker.

use std::{
    fs::File,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use tokio::sync::watch;

use super::directory::Snapshot;
use crate::Error;

/// How far the disk has followed.
#[derive(Debug, Clone)]
enum Progress {
    Synced(u64),
    Failed(String),
}

struct Work {
    file: Arc<File>,
    written: u64,
    snapshot: Option<Snapshot>,
    /// Why an older file did not reach the disk.
    failure: Option<String>,
    closed: bool,
}

/// The writer's side of the disk thread.
pub(super) struct Disk {
    work: Arc<(Mutex<Work>, Condvar)>,
    progress: watch::Receiver<Progress>,
    snapshot_bytes: Arc<AtomicU64>,
    snapshot_running: Arc<AtomicBool>,
}

impl Disk {
    pub(super) fn start(file: Arc<File>, snapshot_bytes: u64) -> Result<Arc<Self>, Error> {
        let work = Work { file, written: 0, snapshot: None, failure: None, closed: false };
        let work = Arc::new((Mutex::new(work), Condvar::new()));
        let (sender, progress) = watch::channel(Progress::Synced(0));
        let disk = Arc::new(Self {
            work: work.clone(),
            progress,
            snapshot_bytes: Arc::new(AtomicU64::new(snapshot_bytes)),
            snapshot_running: Arc::new(AtomicBool::new(false)),
        });
        let (bytes, running) = (disk.snapshot_bytes.clone(), disk.snapshot_running.clone());
        thread::Builder::new()
            .name("storage".into())
            .stack_size(256 << 10)
            .spawn(move || follow(&work, &sender, &bytes, &running))
            .map_err(Error::Listen)?;
        Ok(disk)
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the log now holds everything up to a revision.
    pub(super) fn written(&self, revision: u64) {
        self.lock().written = revision;
        self.work.1.notify_one();
    }

    /// Says that a new file is written to from now on; the old one is on disk.
    pub(super) fn rotate(&self, file: Arc<File>) {
        self.lock().file = file;
    }

    /// Says that the file did not reach the disk. The kernel tells that only once, so nobody else will hear of it.
    pub(super) fn fail(&self, error: &std::io::Error) {
        self.lock().failure = Some(error.to_string());
        self.work.1.notify_one();
    }

    /// Waits until everything up to a revision is on disk.
    pub(super) async fn wait(&self, revision: u64) -> Result<(), String> {
        let mut progress = self.progress.clone();
        let reached = progress
            .wait_for(|progress| match progress {
                Progress::Synced(synced) => *synced >= revision,
                Progress::Failed(_) => true,
            })
            .await;
        match reached.as_deref() {
            Ok(Progress::Synced(_)) => Ok(()),
            Ok(Progress::Failed(message)) => Err(message.clone()),
            Err(_) => Err("the storage thread has ended".into()),
        }
    }

    pub(super) fn healthy(&self) -> bool {
        matches!(*self.progress.borrow(), Progress::Synced(_))
    }

    pub(super) fn snapshot_bytes(&self) -> u64 {
        self.snapshot_bytes.load(Ordering::Relaxed)
    }

    /// Whether a snapshot may be begun now; only one is written at a time.
    pub(super) fn begin_snapshot(&self) -> bool {
        !self.snapshot_running.swap(true, Ordering::AcqRel)
    }

    pub(super) fn abandon_snapshot(&self) {
        self.snapshot_running.store(false, Ordering::Release);
    }

    pub(super) fn snapshot(&self, snapshot: Snapshot) {
        self.lock().snapshot = Some(snapshot);
        self.work.1.notify_one();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.lock().closed = true;
        self.work.1.notify_one();
    }
}

impl Work {
    fn is_done(&self, synced: u64) -> bool {
        self.written == synced && self.snapshot.is_none() && self.failure.is_none()
    }
}

fn follow(
    work: &(Mutex<Work>, Condvar),
    progress: &watch::Sender<Progress>,
    snapshot_bytes: &Arc<AtomicU64>,
    snapshot_running: &Arc<AtomicBool>,
) {
    let (work, wake) = work;
    let mut synced = 0;
    loop {
        let mut guard = work.lock().unwrap_or_else(PoisonError::into_inner);
        while guard.is_done(synced) && !guard.closed {
            guard = wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        if guard.closed && guard.written == synced {
            return;
        }
        let (file, written) = (guard.file.clone(), guard.written);
        let (snapshot, failure) = (guard.snapshot.take(), guard.failure.take());
        drop(guard);
        let synced_now = file.sync_data().map_err(|error| error.to_string());
        let result = failure.map_or(synced_now, Err);
        progress.send_if_modified(|progress| {
            match (&result, &progress) {
                // What a failed sync has dropped cannot be had back, so a later good one must not hide it.
                (_, Progress::Failed(_)) => return false,
                (Ok(()), Progress::Synced(_)) => *progress = Progress::Synced(written),
                (Err(error), Progress::Synced(_)) => *progress = Progress::Failed(error.clone()),
            }
            true
        });
        synced = written;
        if let Some(snapshot) = snapshot {
            write_snapshot(snapshot, snapshot_bytes.clone(), snapshot_running.clone());
        }
    }
}

/// Writes a snapshot beside the syncing of the log, which must not wait for it.
fn write_snapshot(snapshot: Snapshot, bytes: Arc<AtomicU64>, running: Arc<AtomicBool>) {
    let flag = running.clone();
    let write = move || {
        match snapshot.write() {
            Ok(size) => bytes.store(size, Ordering::Relaxed),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "could not write a snapshot of the state"
                );
            }
        }
        running.store(false, Ordering::Release);
    };
    if thread::Builder::new().name("snapshot".into()).spawn(write).is_err() {
        flag.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_disk_refused_stays_refused() {
        let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
        let disk = Disk::start(Arc::new(nowhere), 0).unwrap();
        disk.written(3);
        assert!(disk.wait(3).await.is_err(), "what is no file cannot be synced");
        disk.rotate(Arc::new(tempfile::tempfile().unwrap()));
        disk.written(4);
        assert!(disk.wait(4).await.is_err());
        assert!(!disk.healthy());
    }

    #[tokio::test]
    async fn a_log_that_could_not_be_finished_fails_what_was_waited_for() {
        let disk = Disk::start(Arc::new(tempfile::tempfile().unwrap()), 0).unwrap();
        disk.written(3);
        disk.wait(3).await.unwrap();
        disk.fail(&std::io::Error::other("gone"));
        assert_eq!(disk.wait(4).await.unwrap_err(), "gone");
        assert!(!disk.healthy());
    }
}
