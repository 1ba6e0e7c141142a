//! From a container's pipes to its log file.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use jiff::Timestamp;
use rustix::{fs::FallocateFlags, pipe::PipeFlags};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe,
    sync::watch,
    task::JoinHandle,
};

use super::{
    Error, Log,
    record::{LONGEST_PIECE, render},
};

/// Old parts of a log are given back in pieces of this size: that of one of the real kubelet's files.
const PIECE: u64 = 10 * 1024 * 1024;
/// A log keeps at least this much of its end, and at most a piece more: the five files that the real kubelet keeps. What is
/// older is given back to the file system without moving the rest, so that who reads goes on undisturbed.
const KEPT: u64 = 4 * PIECE;

/// How far a log has been written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Growth {
    pub(crate) bytes: u64,
    /// Nothing more will come.
    pub(crate) ended: bool,
}

/// A log that waits for what a container writes into `stdout` and `stderr`.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    pub(crate) log: Log,
    /// Ends when both pipes have ended.
    pub(crate) done: JoinHandle<()>,
}

/// Opens the log file and the pipes.
pub(crate) async fn capture(path: &Path) -> Result<Capture, Error> {
    let keep_error = |source| Error::Keep { path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        tokio::fs::create_dir_all(directory).await.map_err(keep_error)?;
    }
    let file = File::options().create(true).append(true).open(path).await.map_err(keep_error)?;
    let bytes = file.metadata().await.map_err(keep_error)?.len();
    let (sender, growth) = watch::channel(Growth { bytes, ended: false });
    let (stdout, write_stdout) = open_pipe()?;
    let (stderr, write_stderr) = open_pipe()?;
    let done = tokio::spawn(copy(stdout, stderr, file, sender));
    let log = Log { path: path.to_owned(), growth };
    Ok(Capture { stdout: write_stdout, stderr: write_stderr, log, done })
}

fn open_pipe() -> Result<(pipe::Receiver, OwnedFd), Error> {
    let (read, write) =
        rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|errno| Error::Pipe(errno.into()))?;
    Ok((pipe::Receiver::from_owned_fd(read).map_err(Error::Pipe)?, write))
}

/// One of the two streams of a container.
struct Stream {
    name: &'static str,
    pipe: pipe::Receiver,
    open: bool,
    /// A piece of a line that is not complete yet.
    rest: Vec<u8>,
}

impl Stream {
    fn new(name: &'static str, pipe: pipe::Receiver) -> Self {
        Self { name, pipe, open: true, rest: Vec::new() }
    }

    async fn read(&mut self, buffer: &mut [u8]) -> usize {
        // A pipe that cannot be read has ended for us.
        self.pipe.read(buffer).await.unwrap_or_default()
    }

    /// Renders what `piece` completes; all of it when the stream has ended.
    fn take(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let now = Timestamp::now();
        if piece.is_empty() {
            self.open = false;
            if !self.rest.is_empty() {
                render(out, now, self.name, false, &std::mem::take(&mut self.rest));
            }
            return;
        }
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let (line, complete) = match part.strip_suffix(b"\n") {
                Some(line) => (line, true),
                None => (part, false),
            };
            self.rest.extend_from_slice(line);
            while self.rest.len() > LONGEST_PIECE {
                let longer = self.rest.split_off(LONGEST_PIECE);
                render(out, now, self.name, false, &self.rest);
                self.rest = longer;
            }
            if complete {
                render(out, now, self.name, true, &self.rest);
                self.rest.clear();
            }
        }
    }
}

async fn copy(
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
    mut file: File,
    growth: watch::Sender<Growth>,
) {
    let (mut out, mut err) = (Stream::new("stdout", stdout), Stream::new("stderr", stderr));
    let (mut out_buffer, mut err_buffer) = (vec![0; 8 * 1024], vec![0; 8 * 1024]);
    let mut text = Vec::new();
    let mut given_back = 0;
    while out.open || err.open {
        tokio::select! {
            count = out.read(&mut out_buffer), if out.open => out.take(&out_buffer[..count], &mut text),
            count = err.read(&mut err_buffer), if err.open => err.take(&err_buffer[..count], &mut text),
        }
        // The container must not stop because our disk is full: what cannot be written is lost.
        let written = file.write_all(&text).await;
        let mut bytes = growth.borrow().bytes + text.len() as u64;
        if let Err(error) = written.and(file.flush().await) {
            tracing::warn!(%error, "could not write a container's log");
            // A part of it may be there.
            let before = growth.borrow().bytes;
            bytes = file.metadata().await.map_or(before, |found| found.len());
        }
        growth.send_modify(|growth| growth.bytes = bytes);
        text.clear();
        given_back = give_back(&file, bytes, given_back, KEPT);
    }
    growth.send_modify(|growth| growth.ended = true);
}

/// Frees the beginning of a file that has grown far beyond what is kept; returns how much is free by now.
fn give_back(file: &impl AsFd, bytes: u64, before: u64, kept: u64) -> u64 {
    let old = bytes.saturating_sub(kept) / PIECE * PIECE;
    if old <= before {
        return before;
    }
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    if let Err(error) = rustix::fs::fallocate(file, flags, 0, old) {
        tracing::debug!(%error, "could not free the old part of a log");
    }
    old
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    async fn written(stdout: &[&str]) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/0.log");
        let capture = capture(&path).await.unwrap();
        let mut pipe = std::fs::File::from(capture.stdout);
        drop(capture.stderr);
        for piece in stdout {
            pipe.write_all(piece.as_bytes()).unwrap();
        }
        drop(pipe);
        capture.done.await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(*capture.log.growth.borrow(), Growth { bytes: text.len() as u64, ended: true });
        text
    }

    fn marks(text: &str) -> Vec<(&str, usize)> {
        text.lines()
            .map(|line| line.splitn(4, ' ').collect::<Vec<_>>())
            .map(|parts| (parts[2], parts[3].len()))
            .collect()
    }

    #[tokio::test]
    async fn lines_are_kept_apart_and_the_last_piece_is_not_lost() {
        let text = written(&["one\ntw", "o\n\nend without line feed"]).await;
        assert_eq!(marks(&text), [("F", 3), ("F", 3), ("F", 0), ("P", 21)]);
    }

    #[tokio::test]
    async fn long_lines_come_in_pieces() {
        let long = "x".repeat(40_000);
        let text = written(&[&long, "\n"]).await;
        assert_eq!(marks(&text), [("P", 16_384), ("P", 16_384), ("F", 7_232)]);
    }

    #[tokio::test]
    async fn what_a_full_disk_does_not_take_is_not_counted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("0.log");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let capture = capture(&path).await.unwrap();
        std::fs::File::from(capture.stdout).write_all(b"lost\n").unwrap();
        drop(capture.stderr);
        capture.done.await.unwrap();
        assert_eq!(*capture.log.growth.borrow(), Growth { bytes: 0, ended: true });
    }

    #[test]
    fn the_old_part_of_a_long_log_is_given_back() {
        use std::os::unix::fs::MetadataExt;
        let mut file = tempfile::tempfile().unwrap();
        for _ in 0..5 {
            file.write_all(&vec![b'x'; 4 << 20]).unwrap();
        }
        let blocks = file.metadata().unwrap().blocks();
        assert_eq!(give_back(&file, 20 << 20, 0, 16 << 20), 0);
        assert_eq!(give_back(&file, 20 << 20, 0, 8 << 20), PIECE);
        let metadata = file.metadata().unwrap();
        assert_eq!(metadata.len(), 20 << 20);
        assert!(
            metadata.blocks() + PIECE / 512 <= blocks + 64,
            "{} of {blocks}",
            metadata.blocks()
        );
    }
}
