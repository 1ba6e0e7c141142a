//! The file of an artifact whose bytes still arrive. One writer has it at a time, also among several servers of one
//! directory: the kernel's lock goes with the process that holds it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use flumen_model::Digest;
use futures::{Stream, StreamExt};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncWriteExt as _, BufWriter},
    task::{JoinHandle, spawn_blocking},
};

use crate::Error;

/// How many bytes are read or written at once.
const PIECE: usize = 1 << 20;
/// After how many bytes the disk is given something to do.
const SYNC_EVERY: u64 = 4 << 20;

/// A file that is written by nobody else. It goes when it is dropped, unless somebody can go on with it.
pub(crate) struct Part {
    path: PathBuf,
    file: File,
    /// Its length in bytes.
    length: u64,
    resumable: bool,
}

impl Part {
    /// A file that is of use to nobody when it is not whole.
    pub(crate) async fn private(path: PathBuf) -> Result<Self, Error> {
        let failed = Error::file("create", path.clone());
        let opened = spawn_blocking(move || Self::open(path, false)).await;
        let opened = opened.map_err(io::Error::other).flatten();
        // Its name was never another's.
        opened.and_then(|part| part.ok_or_else(|| io::ErrorKind::WouldBlock.into())).map_err(failed)
    }

    /// A file that stays when its upload breaks off; none while somebody writes it.
    pub(crate) async fn resumable(path: PathBuf) -> Result<Option<Self>, Error> {
        let failed = Error::file("open", path.clone());
        let opened = spawn_blocking(move || Self::open(path, true)).await;
        opened.map_err(io::Error::other).flatten().map_err(failed)
    }

    fn open(path: PathBuf, resumable: bool) -> io::Result<Option<Self>> {
        loop {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(false).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // It may have got another name, or gone, before it was locked.
            if is_at(&file, &path)? {
                let length = file.metadata()?.len();
                return Ok(Some(Self { path, file, length, resumable }));
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Writes what comes behind the first `offset` bytes, which are there, and looks whether all of it has the digest.
    /// Returns the size of all in bytes.
    pub(crate) async fn write<S, E>(
        &mut self,
        (offset, limit): (u64, Option<u64>),
        digest: &Digest,
        body: S,
    ) -> Result<u64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let written = self.write_checked((offset, limit), digest, body).await;
        if !matches!(written, Ok(_) | Err(Error::UploadBroken { .. })) {
            self.resumable = false;
        }
        written
    }

    async fn write_checked<S, E>(
        &mut self,
        (offset, limit): (u64, Option<u64>),
        digest: &Digest,
        body: S,
    ) -> Result<u64, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = self.path.clone();
        let failed = || Error::file("write", &path);
        let mut hash = self.begin(offset).await.map_err(failed())?;
        let file = tokio::fs::File::from_std(self.file.try_clone().map_err(failed())?);
        let mut syncing =
            Syncing { file: file.try_clone().await.map_err(failed())?, running: None };
        let mut file = BufWriter::with_capacity(PIECE, file);
        let mut synced = offset;
        let mut body = std::pin::pin!(body);
        while let Some(piece) = body.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    file.flush().await.map_err(failed())?;
                    return Err(Error::UploadBroken { source: error.into() });
                }
            };
            let length = self.length + piece.len() as u64;
            if let Some(limit) = limit.filter(|limit| length > *limit) {
                return Err(Error::ArtifactTooLarge { limit });
            }
            hash.update(&piece);
            file.write_all(&piece).await.map_err(failed())?;
            self.length = length;
            if length - synced >= SYNC_EVERY && syncing.begin().await.map_err(failed())? {
                synced = length;
            }
        }
        let actual = Digest::from_sha256(&hash.finalize().into());
        if actual != *digest {
            return Err(Error::DigestMismatch { announced: digest.clone(), actual });
        }
        // What was written last fails here or nowhere: a sync after it says nothing of it.
        file.flush().await.map_err(failed())?;
        syncing.end().await.map_err(failed())?;
        Ok(self.length)
    }

    /// Makes the file so long, and stands at its end: the hash of what is there.
    async fn begin(&mut self, offset: u64) -> io::Result<Sha256> {
        let mut file = self.file.try_clone()?;
        self.length = offset;
        spawn_blocking(move || {
            file.set_len(offset)?;
            file.rewind()?;
            let mut hash = Sha256::new();
            let mut piece = vec![0; PIECE];
            loop {
                match file.read(&mut piece)? {
                    0 => return Ok(hash),
                    read => hash.update(&piece[..read]),
                }
            }
        })
        .await
        .map_err(io::Error::other)?
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.resumable {
            // Mostly a whole one has its name by now.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether the path leads to this file still.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let opened = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Puts a file on the disk while it is still written, so that at its end little of it is waited for.
struct Syncing {
    file: tokio::fs::File,
    /// The system says of a failure once, so each is asked for.
    running: Option<JoinHandle<io::Result<()>>>,
}

impl Syncing {
    /// Begins with what was written so far; false if the disk is still at what was written before.
    async fn begin(&mut self) -> io::Result<bool> {
        if self.running.as_ref().is_some_and(|running| !running.is_finished()) {
            return Ok(false);
        }
        self.wait().await?;
        let file = self.file.try_clone().await?;
        self.running = Some(tokio::spawn(async move { file.sync_data().await }));
        Ok(true)
    }

    async fn end(mut self) -> io::Result<()> {
        self.wait().await?;
        self.file.sync_all().await
    }

    async fn wait(&mut self) -> io::Result<()> {
        match self.running.take() {
            Some(running) => running.await.map_err(io::Error::other)?,
            None => Ok(()),
        }
    }
}
