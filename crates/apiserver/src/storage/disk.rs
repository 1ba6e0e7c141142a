//! The thread that waits for the disk, so that many writes share one wait and no request blocks a worker.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
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
    /// Logs that were written to before this one since the disk was last waited for.
    older: Vec<Arc<File>>,
    written: u64,
    snapshot: Option<Snapshot>,
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
    /// Starts with a log whose directory is on disk with everything up to a revision.
    pub(super) fn start(
        directory: &Path,
        file: Arc<File>,
        synced: u64,
        snapshot_bytes: u64,
    ) -> Result<Arc<Self>, Error> {
        let work = Work { file, older: Vec::new(), written: synced, snapshot: None, closed: false };
        let work = Arc::new((Mutex::new(work), Condvar::new()));
        let (sender, progress) = watch::channel(Progress::Synced(synced));
        let disk = Arc::new(Self {
            work: work.clone(),
            progress,
            snapshot_bytes: Arc::new(AtomicU64::new(snapshot_bytes)),
            snapshot_running: Arc::new(AtomicBool::new(false)),
        });
        let follower = Follower {
            directory: directory.to_owned(),
            work,
            progress: sender,
            snapshot_bytes: disk.snapshot_bytes.clone(),
            snapshot_running: disk.snapshot_running.clone(),
        };
        thread::Builder::new()
            .name("storage".into())
            .stack_size(256 << 10)
            .spawn(move || follower.run(synced))
            .map_err(Error::StartThread)?;
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

    /// Says that a new file is written to from now on. Nothing in it counts before the old one is on disk.
    pub(super) fn rotate(&self, file: Arc<File>) {
        let mut work = self.lock();
        let older = std::mem::replace(&mut work.file, file);
        work.older.push(older);
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

    /// Up to where everything is known to be on disk.
    pub(super) fn synced(&self) -> u64 {
        match *self.progress.borrow() {
            Progress::Synced(synced) => synced,
            Progress::Failed(_) => 0,
        }
    }

    /// Why nothing reaches the disk any more.
    pub(super) fn failure(&self) -> Option<String> {
        match &*self.progress.borrow() {
            Progress::Synced(_) => None,
            Progress::Failed(message) => Some(message.clone()),
        }
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
        self.written == synced && self.older.is_empty() && self.snapshot.is_none()
    }
}

/// The disk thread's side.
struct Follower {
    directory: PathBuf,
    work: Arc<(Mutex<Work>, Condvar)>,
    progress: watch::Sender<Progress>,
    snapshot_bytes: Arc<AtomicU64>,
    snapshot_running: Arc<AtomicBool>,
}

impl Follower {
    fn run(&self, mut synced: u64) {
        let (work, wake) = &*self.work;
        loop {
            let mut guard = work.lock().unwrap_or_else(PoisonError::into_inner);
            while guard.is_done(synced) && !guard.closed {
                guard = wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
            if guard.closed && guard.written == synced {
                return;
            }
            let (file, written) = (guard.file.clone(), guard.written);
            let (older, snapshot) = (std::mem::take(&mut guard.older), guard.snapshot.take());
            drop(guard);
            let healthy = self.report(self.sync(&older, &file).map(|()| written));
            synced = written;
            match snapshot {
                Some(snapshot) if healthy => self.write_snapshot(snapshot),
                // What the disk refused must not come back by way of a snapshot.
                Some(_) => self.snapshot_running.store(false, Ordering::Release),
                None => {}
            }
        }
    }

    fn sync(&self, older: &[Arc<File>], file: &File) -> io::Result<()> {
        older.iter().try_for_each(|file| file.sync_data())?;
        file.sync_data()?;
        if !older.is_empty() {
            // The file is a new one.
            File::open(&self.directory)?.sync_all()?;
        }
        Ok(())
    }

    /// Tells how far the disk is; whether all is well.
    fn report(&self, result: io::Result<u64>) -> bool {
        self.progress.send_if_modified(|progress| {
            match (result, &progress) {
                // What a failed sync has dropped cannot be had back, so a later good one must not hide it.
                (_, Progress::Failed(_)) => return false,
                (Ok(written), Progress::Synced(_)) => *progress = Progress::Synced(written),
                (Err(error), Progress::Synced(_)) => {
                    *progress = Progress::Failed(error.to_string());
                }
            }
            true
        });
        matches!(*self.progress.borrow(), Progress::Synced(_))
    }

    /// Writes a snapshot beside the syncing of the log, which must not wait for it.
    fn write_snapshot(&self, snapshot: Snapshot) {
        let (bytes, running) = (self.snapshot_bytes.clone(), self.snapshot_running.clone());
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
            self.snapshot_running.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes writes, but cannot be brought to any disk.
    fn nowhere() -> Arc<File> {
        Arc::new(std::fs::OpenOptions::new().write(true).open("/dev/null").unwrap())
    }

    fn start(file: Arc<File>) -> Arc<Disk> {
        Disk::start(&std::env::temp_dir(), file, 2, 0).unwrap()
    }

    #[tokio::test]
    async fn what_the_disk_refused_stays_refused() {
        let disk = start(nowhere());
        assert_eq!((disk.synced(), disk.failure()), (2, None));
        disk.written(3);
        assert!(disk.wait(3).await.is_err(), "what is no file cannot be synced");
        disk.rotate(Arc::new(tempfile::tempfile().unwrap()));
        disk.written(4);
        assert!(disk.wait(4).await.is_err());
        assert!(disk.failure().is_some());
    }

    #[tokio::test]
    async fn nothing_in_a_log_counts_before_the_one_before_it_is_on_disk() {
        let disk = start(nowhere());
        disk.rotate(Arc::new(tempfile::tempfile().unwrap()));
        disk.written(3);
        assert!(disk.wait(3).await.is_err());
        let disk = start(Arc::new(tempfile::tempfile().unwrap()));
        disk.rotate(Arc::new(tempfile::tempfile().unwrap()));
        disk.written(3);
        disk.wait(3).await.unwrap();
    }
}
