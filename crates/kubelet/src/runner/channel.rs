//! Requests out, answers in, each to who waits for it.

use std::{
    collections::HashMap,
    ffi::OsString,
    io,
    os::fd::{BorrowedFd, OwnedFd},
    process::{Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use nix::sched::{CloneFlags, unshare};
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair};
use tokio::{
    io::Interest,
    net::UnixDatagram,
    sync::{oneshot, watch},
};

use super::Error;
use crate::protocol::{self, Event, Exit, Request};

type Answer<T> = oneshot::Sender<Result<T, String>>;

#[derive(Debug, Default)]
struct Waiting {
    sandboxes: HashMap<String, Answer<OwnedFd>>,
    starts: HashMap<u64, Answer<()>>,
    exits: HashMap<u64, oneshot::Sender<Exit>>,
    closed: bool,
}

#[derive(Debug)]
pub(super) struct Channel {
    socket: Arc<UnixDatagram>,
    waiting: Arc<Mutex<Waiting>>,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl Channel {
    /// Starts a supervisor, of whose end `ended` tells.
    pub(super) async fn open(
        helper: &[OsString],
        ended: watch::Sender<bool>,
    ) -> Result<Self, io::Error> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        // Tokio's type for sockets that keep messages apart; this one also tells when the other side is gone.
        let ours = UnixDatagram::from_std(ours.into())?;
        spawn_supervisor(helper.to_vec(), theirs, ended).await?;
        let socket = Arc::new(ours);
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        tokio::spawn(listen(Arc::clone(&socket), Arc::clone(&waiting)));
        Ok(Self { socket, waiting })
    }

    pub(super) fn shut_down(&self) {
        // Already shut down is as good.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }

    pub(super) fn expect_sandbox(&self, pod: &str) -> oneshot::Receiver<Result<OwnedFd, String>> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        if !waiting.closed {
            waiting.sandboxes.insert(pod.to_owned(), sender);
        }
        receiver
    }

    pub(super) fn expect_process(
        &self,
        id: u64,
    ) -> (oneshot::Receiver<Result<(), String>>, oneshot::Receiver<Exit>) {
        let (start_sender, start) = oneshot::channel();
        let (exit_sender, exit) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        if !waiting.closed {
            waiting.starts.insert(id, start_sender);
            waiting.exits.insert(id, exit_sender);
        }
        (start, exit)
    }

    /// All that runs, with its end, of which whoever waited for it before does not hear any more.
    pub(super) fn take_running(&self) -> Vec<(u64, oneshot::Receiver<Exit>)> {
        let mut waiting = lock(&self.waiting);
        let Waiting { starts, exits, .. } = &mut *waiting;
        let running = exits.iter_mut().filter(|(id, _)| !starts.contains_key(id));
        let taken = running.map(|(id, sender)| {
            let (new, exit) = oneshot::channel();
            *sender = new;
            (*id, exit)
        });
        taken.collect()
    }

    pub(super) async fn ask(
        &self,
        request: &Request,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), Error> {
        let sent = self
            .socket
            .async_io(Interest::WRITABLE, || protocol::send(&self.socket, request, descriptors))
            .await;
        sent.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::SupervisorGone,
            _ => Error::Ask(error),
        })
    }
}

/// The supervisor is told to die with the *thread* that started it, so that thread waits for it until the end.
async fn spawn_supervisor(
    helper: Vec<OsString>,
    socket: OwnedFd,
    ended: watch::Sender<bool>,
) -> Result<(), io::Error> {
    let (sender, started) = oneshot::channel();
    thread::Builder::new().name("pod-supervisor".to_owned()).spawn(move || {
        let spawned = launch(&helper, socket);
        match spawned {
            Ok(mut child) => {
                // Whoever asked may have stopped waiting; the supervisor then sees its socket end.
                let _ = sender.send(Ok(()));
                match child.wait() {
                    Ok(status) => tracing::debug!(%status, "the pod supervisor has ended"),
                    Err(error) => tracing::error!(%error, "could not wait for the pod supervisor"),
                }
                ended.send_replace(true);
            }
            Err(error) => {
                let _ = sender.send(Err(error));
            }
        }
    })?;
    started.await.map_err(io::Error::other)?
}

fn launch(helper: &[OsString], socket: OwnedFd) -> Result<std::process::Child, io::Error> {
    let (program, arguments) = helper
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program given"))?;
    unshare(CloneFlags::CLONE_NEWPID)?;
    Command::new(program)
        .args(arguments)
        .arg("supervise")
        .env_clear()
        .stdin(Stdio::from(socket))
        .spawn()
}

async fn listen(socket: Arc<UnixDatagram>, waiting: Arc<Mutex<Waiting>>) {
    loop {
        match socket.async_io(Interest::READABLE, || protocol::receive::<Event>(&socket)).await {
            Ok(Some((event, descriptors))) => deliver(&mut lock(&waiting), event, descriptors),
            Ok(None) => break,
            Err(error) => {
                tracing::error!(%error, "could not read from the pod supervisor");
                break;
            }
        }
    }
    // Dropping the senders tells everyone who still waits.
    *lock(&waiting) = Waiting { closed: true, ..Waiting::default() };
}

fn deliver(waiting: &mut Waiting, event: Event, descriptors: Vec<OwnedFd>) {
    // A receiver that is gone has lost interest; there is nobody to tell.
    match event {
        Event::SandboxCreated { pod } => {
            if let (Some(sender), Some(network)) =
                (waiting.sandboxes.remove(&pod), descriptors.into_iter().next())
            {
                let _ = sender.send(Ok(network));
            }
        }
        Event::SandboxFailed { pod, message } => {
            if let Some(sender) = waiting.sandboxes.remove(&pod) {
                let _ = sender.send(Err(message));
            }
        }
        Event::Started { container } => {
            if let Some(sender) = waiting.starts.remove(&container) {
                let _ = sender.send(Ok(()));
            }
        }
        Event::NotStarted { container, message } => {
            waiting.exits.remove(&container);
            if let Some(sender) = waiting.starts.remove(&container) {
                let _ = sender.send(Err(message));
            }
        }
        Event::Exited { container, exit } => {
            if let Some(sender) = waiting.exits.remove(&container) {
                let _ = sender.send(exit);
            }
        }
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
