//! Blobs coming in. What has arrived is known to this process only: an upload does not outlive it.

use std::{
    collections::HashMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::{fs, io::AsyncWriteExt};
use uuid::Uuid;

use super::{Storage, if_exists};
use crate::digest::Digest;

/// An upload that nobody has touched for so long is given up.
const PATIENCE: Duration = Duration::from_hours(1);

type Shared = Arc<tokio::sync::Mutex<Upload>>;

#[derive(Default)]
pub(super) struct Uploads(Mutex<HashMap<Uuid, Session>>);

struct Session {
    upload: Shared,
    touched: Instant,
}

/// One blob on its way in.
pub(crate) struct Upload {
    repository: String,
    path: PathBuf,
    file: fs::File,
    hasher: Sha256,
    received: u64,
    /// A write was begun and its end not seen: file and hash may differ.
    torn: bool,
}

/// How an upload ended.
pub(crate) enum Received {
    Kept,
    OtherDigest(Digest),
}

impl Upload {
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    pub(crate) fn is_torn(&self) -> bool {
        self.torn
    }

    pub(crate) async fn append(&mut self, piece: &Bytes) -> io::Result<()> {
        self.torn = true;
        self.file.write_all(piece).await?;
        self.hasher.update(piece);
        self.received += piece.len() as u64;
        self.torn = false;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Already renamed when it was kept. What cannot be removed now is removed at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Storage {
    pub(crate) async fn start_upload(&self, repository: &str) -> io::Result<Uuid> {
        let id = Uuid::new_v4();
        let path = self.root.join("uploads").join(id.to_string());
        let file = fs::File::create(&path).await?;
        let upload = Upload {
            repository: repository.to_owned(),
            path,
            file,
            hasher: Sha256::new(),
            received: 0,
            torn: false,
        };
        let session =
            Session { upload: Arc::new(tokio::sync::Mutex::new(upload)), touched: Instant::now() };
        let mut sessions = self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.touched.elapsed() < PATIENCE);
        sessions.insert(id, session);
        Ok(id)
    }

    /// The upload `id` of this repository.
    pub(crate) async fn upload(
        &self,
        repository: &str,
        id: Uuid,
    ) -> Option<tokio::sync::OwnedMutexGuard<Upload>> {
        let shared = {
            let mut sessions = self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner);
            let session = sessions.get_mut(&id)?;
            session.touched = Instant::now();
            session.upload.clone()
        };
        let upload = shared.lock_owned().await;
        (upload.repository == repository).then_some(upload)
    }

    /// Forgets the upload; its file goes when the last user lets go of it.
    pub(crate) fn give_up(&self, id: Uuid) {
        self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Ends an upload: its content becomes a blob of the repository if it is what `expected` says.
    pub(crate) async fn finish_upload(
        &self,
        id: Uuid,
        upload: &mut Upload,
        expected: &Digest,
    ) -> io::Result<Received> {
        self.give_up(id);
        let actual = Digest::finish(upload.hasher.clone());
        if actual != *expected {
            return Ok(Received::OtherDigest(actual));
        }
        upload.file.flush().await?;
        upload.file.sync_all().await?;
        self.keep_blob(&upload.path, expected).await?;
        self.link_blob(&upload.repository, expected).await?;
        Ok(Received::Kept)
    }

    /// Stores bytes that are in memory as content, without giving them to a repository.
    pub(super) async fn keep_bytes(&self, bytes: &[u8], digest: &Digest) -> io::Result<()> {
        if if_exists(fs::metadata(self.blob_path(digest)).await)?.is_some() {
            return Ok(());
        }
        let path = self.blob_path(digest);
        self.write_whole(&path, bytes).await
    }
}
