//! The command's process, and what goes between it and the client.

use std::{fs::File, io, os::fd::OwnedFd, time::Duration};

use bytes::BytesMut;
use rustix::{pipe::PipeFlags, termios::Winsize};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe,
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{options::Options, status};
use crate::{
    error::chain,
    pods::{Node, Running},
    protocol::{Execution, Exit},
    runner::{self, Output, Process},
    streams::{Incoming, Outgoing},
};

/// How long what a command started may be silent after the command's end before it is no longer listened to.
const SILENCE: Duration = Duration::from_secs(2);
/// How long a command whose client is gone may take to end by itself: it sees the end of its input, and of its output.
const ALONE: Duration = Duration::from_secs(2);
const PIECE: usize = crate::streams::PIECE;

/// The client's ends.
pub(super) struct Ends {
    pub(super) stdin: Option<Incoming>,
    pub(super) stdout: Option<Outgoing>,
    pub(super) stderr: Option<Outgoing>,
    pub(super) resize: Option<Incoming>,
}

/// Width and height of a terminal, as clients send them.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Size {
    width: u16,
    height: u16,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("could not connect the command with its client")]
    Pipe(#[from] io::Error),
    #[error(transparent)]
    Start(#[from] runner::Error),
}

/// Runs a command and tells how it ended; `None` when the client has gone.
pub(super) async fn run(
    node: &Node,
    running: &Running,
    options: &Options,
    ends: Ends,
    gone: CancellationToken,
) -> Option<Value> {
    let mut pumps = Pumps::default();
    let started = start(node, running, options, ends, &mut pumps).await;
    let mut process = match started {
        Ok(process) => process,
        Err(error) => return Some(status::of_error(&chain(&error))),
    };
    let exit = tokio::select! {
        exit = &mut process.exit => exit,
        () = gone.cancelled() => {
            drop(pumps);
            abandon(node, process).await;
            return None;
        }
    };
    pumps.ended.cancel();
    tokio::select! {
        () = pumps.finish() => {}
        () = gone.cancelled() => return None,
    }
    // Without an answer the supervisor is gone, and it has killed everything.
    Some(status::of_exit(exit.unwrap_or(Exit::Signal(9))))
}

async fn abandon(node: &Node, mut process: Process) {
    if timeout(ALONE, &mut process.exit).await.is_err() {
        let kill = nix::sys::signal::Signal::SIGKILL as i32;
        // Its container may have ended meanwhile.
        let _ = node.runner.signal(process.id, kill).await;
    }
}

async fn start(
    node: &Node,
    running: &Running,
    options: &Options,
    ends: Ends,
    pumps: &mut Pumps,
) -> Result<Process, Error> {
    let execution = Execution::like(&running.configuration, &options.command);
    if options.terminal {
        let (process, terminal) =
            node.runner.execute_in_terminal(running.process, &execution).await?;
        rustix::io::ioctl_fionbio(&terminal, true).map_err(io::Error::from)?;
        let (writing, sizing) = (terminal.try_clone()?, terminal.try_clone()?);
        pumps.draw(pipe::Receiver::from_owned_fd_unchecked(terminal)?, ends.stdout);
        // The terminal's other end stays open for as long as somebody may want another size.
        if let Some(stdin) = ends.stdin {
            pumps.pour(stdin, pipe::Sender::from_owned_fd_unchecked(writing)?, true);
        }
        pumps.resize(ends.resize, sizing);
        return Ok(process);
    }
    let input = match ends.stdin {
        Some(stdin) => {
            let (read, write) = open_pipe()?;
            pumps.pour(stdin, pipe::Sender::from_owned_fd(write)?, false);
            Some(read)
        }
        None => None,
    };
    let mut output = |to: Option<Outgoing>| -> Result<OwnedFd, Error> {
        let Some(to) = to else {
            return Ok(File::options().write(true).open("/dev/null")?.into());
        };
        let (read, write) = open_pipe()?;
        pumps.draw(pipe::Receiver::from_owned_fd(read)?, Some(to));
        Ok(write)
    };
    let output = Output { stdout: output(ends.stdout)?, stderr: output(ends.stderr)? };
    let ends = runner::Ends { input, output };
    Ok(node.runner.execute(running.process, &execution, ends).await?)
}

fn open_pipe() -> Result<(OwnedFd, OwnedFd), Error> {
    Ok(rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?)
}

/// What passes data on while the command runs. Dropped, they let go of both sides.
#[derive(Default)]
struct Pumps {
    inward: JoinSet<()>,
    outward: JoinSet<()>,
    /// The command itself has ended.
    ended: CancellationToken,
}

impl Pumps {
    fn pour(&mut self, mut from: Incoming, mut into: pipe::Sender, keep_open: bool) {
        self.inward.spawn(async move {
            while let Some(piece) = from.recv().await {
                if into.write_all(&piece).await.is_err() {
                    break;
                }
            }
            if keep_open {
                std::future::pending::<()>().await;
            }
            drop(into);
            // Nobody reads it, but it must not hold up what comes through other streams.
            while from.recv().await.is_some() {}
        });
    }

    fn draw(&mut self, mut from: pipe::Receiver, to: Option<Outgoing>) {
        let ended = self.ended.clone();
        self.outward.spawn(async move {
            let mut buffer = BytesMut::with_capacity(PIECE);
            loop {
                buffer.reserve(PIECE);
                let silence = async {
                    ended.cancelled().await;
                    tokio::time::sleep(SILENCE).await;
                };
                let read = tokio::select! {
                    read = from.read_buf(&mut buffer) => read,
                    () = silence => break,
                };
                // A terminal that nobody has open any more answers with an error.
                if matches!(read, Ok(0) | Err(_)) {
                    break;
                }
                let piece = buffer.split().freeze();
                if let Some(to) = &to
                    && !to.send(piece).await
                {
                    return;
                }
            }
            if let Some(to) = to {
                to.end().await;
            }
        });
    }

    fn resize(&mut self, sizes: Option<Incoming>, terminal: OwnedFd) {
        self.inward.spawn(async move {
            let Some(mut sizes) = sizes else { return };
            while let Some(piece) = sizes.recv().await {
                for size in
                    serde_json::Deserializer::from_slice(&piece).into_iter::<Size>().flatten()
                {
                    let size = Winsize {
                        ws_row: size.height,
                        ws_col: size.width,
                        ws_xpixel: 0,
                        ws_ypixel: 0,
                    };
                    // A terminal whose command has ended has no use for a size.
                    let _ = rustix::termios::tcsetwinsize(&terminal, size);
                }
            }
        });
    }

    /// Waits until everything that was said has been passed on.
    async fn finish(&mut self) {
        while self.outward.join_next().await.is_some() {}
    }
}
