//! The kubelet's side of the pod supervisor: starts it with the first sandbox, asks it for sandboxes and processes, hears
//! how they end.

mod channel;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Seek, Write},
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use nix::sys::signal::Signal;
use rustix::{
    fs::MemfdFlags,
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
    pipe::PipeFlags,
};
use serde::Serialize;
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe,
    sync::{Mutex, oneshot, watch},
};

use crate::protocol::{self, Container, Execution, Exit, IdMap, Refusal, Request};
use channel::Channel;

/// Why a sandbox or a process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The supervisor's own process could not be started.
    #[error("could not start the pod supervisor ({program})")]
    StartSupervisor {
        /// What was executed.
        program: String,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },
    /// The supervisor is gone, and all pods with it.
    #[error("the pod supervisor has ended")]
    SupervisorGone,
    /// A request could not be sent to the supervisor.
    #[error("could not reach the pod supervisor")]
    Ask(#[source] io::Error),
    /// The pod's namespaces could not be made.
    #[error("failed to create the sandbox of pod {pod}: {message}")]
    Sandbox {
        /// Uid of the pod.
        pod: String,
        /// The step that failed.
        message: String,
    },
    /// The container's process could not become its command.
    #[error("failed to start container process: {message}")]
    Refused {
        /// The step that failed.
        message: String,
    },
}

/// A process that runs.
#[derive(Debug)]
pub struct Process {
    /// The supervisor's number for it.
    pub id: u64,
    /// Tells how it ended.
    pub exit: oneshot::Receiver<Exit>,
}

/// Where a process writes to.
#[derive(Debug)]
pub struct Output {
    /// Standard output.
    pub stdout: OwnedFd,
    /// Standard error.
    pub stderr: OwnedFd,
}

/// Where a process reads from, `/dev/null` if it is nothing, and where it writes to.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) input: Option<OwnedFd>,
    pub(crate) output: Output,
}

impl From<Output> for Ends {
    fn from(output: Output) -> Self {
        Self { input: None, output }
    }
}

/// Handle to the supervisor; when the last one is dropped, the supervisor and all pods end.
#[derive(Debug, Clone)]
pub struct Runner {
    helper: Arc<[OsString]>,
    supervisor: Arc<Mutex<Supervisor>>,
    ended: watch::Sender<bool>,
    next: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Supervisor {
    NotStarted,
    Started(Arc<Channel>),
    Stopped,
}

impl Runner {
    /// A runner whose supervisor starts with the first sandbox. `helper` is the program, with the arguments that make it
    /// call [`crate::pod_main`].
    pub fn new(helper: &[OsString]) -> Self {
        Self {
            helper: helper.into(),
            supervisor: Arc::new(Mutex::new(Supervisor::NotStarted)),
            ended: watch::Sender::new(false),
            next: Arc::new(AtomicU64::new(1)),
        }
    }

    /// Resolves when a supervisor that was started has ended, whatever the reason.
    pub async fn gone(&self) {
        // The sender is ours, so that it is not dropped meanwhile.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Asks all that runs to end, and waits until it has. Nobody else hears of those ends.
    pub async fn terminate(&self) {
        let Ok(channel) = self.started().await else { return };
        let running = channel.take_running();
        for (process, _) in &running {
            // A supervisor that is gone has taken everything with it.
            let _ = self.signal(*process, Signal::SIGTERM as i32).await;
        }
        for (_, exit) in running {
            let _ = exit.await;
        }
    }

    /// Ends the supervisor, and with it all that runs. Nothing starts after it.
    pub async fn stop(&self) {
        let mut supervisor = self.supervisor.lock().await;
        if let Supervisor::Started(channel) = &*supervisor {
            channel.shut_down();
            self.gone().await;
        }
        *supervisor = Supervisor::Stopped;
    }

    /// The way to the supervisor, which is started if it was not.
    async fn start(&self) -> Result<Arc<Channel>, Error> {
        let mut supervisor = self.supervisor.lock().await;
        match &*supervisor {
            Supervisor::Started(channel) => Ok(Arc::clone(channel)),
            Supervisor::Stopped => Err(Error::SupervisorGone),
            Supervisor::NotStarted => {
                let opened = Channel::open(&self.helper, self.ended.clone()).await;
                let channel = Arc::new(opened.map_err(|source| self.not_started(source))?);
                *supervisor = Supervisor::Started(Arc::clone(&channel));
                Ok(channel)
            }
        }
    }

    fn not_started(&self, source: io::Error) -> Error {
        let words: Vec<_> = self.helper.iter().map(|word| word.to_string_lossy()).collect();
        Error::StartSupervisor { program: words.join(" "), source }
    }

    /// The way to a supervisor that was started; without one nothing runs.
    async fn started(&self) -> Result<Arc<Channel>, Error> {
        match &*self.supervisor.lock().await {
            Supervisor::Started(channel) => Ok(Arc::clone(channel)),
            Supervisor::NotStarted | Supervisor::Stopped => Err(Error::SupervisorGone),
        }
    }

    /// Makes the namespaces of a pod and returns its network namespace.
    pub async fn create_sandbox(
        &self,
        pod: &str,
        hostname: &str,
        map: IdMap,
    ) -> Result<OwnedFd, Error> {
        let channel = self.start().await?;
        let answer = channel.expect_sandbox(pod);
        let request =
            Request::CreateSandbox { pod: pod.to_owned(), hostname: hostname.to_owned(), map };
        channel.ask(&request, &[]).await?;
        match answer.await {
            Ok(Ok(network)) => Ok(network),
            Ok(Err(message)) => Err(Error::Sandbox { pod: pod.to_owned(), message }),
            Err(_) => Err(Error::SupervisorGone),
        }
    }

    /// Lets go of the namespaces of a pod whose containers have ended.
    pub async fn remove_sandbox(&self, pod: &str) -> Result<(), Error> {
        self.started().await?.ask(&Request::RemoveSandbox { pod: pod.to_owned() }, &[]).await
    }

    /// Starts a container and returns when its command has been executed.
    pub async fn start_container(
        &self,
        pod: &str,
        container: &Container,
        output: Output,
    ) -> Result<Process, Error> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let request = Request::Start { container: id, pod: pod.to_owned() };
        self.launch(id, &request, container, output.into()).await
    }

    /// Starts a further process in the container `within`.
    pub(crate) async fn execute(
        &self,
        within: u64,
        execution: &Execution,
        ends: Ends,
    ) -> Result<Process, Error> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.launch(id, &Request::Execute { container: id, within }, execution, ends).await
    }

    /// As [`Self::execute`], with a terminal, of which the process has one end and the caller gets the other.
    pub(crate) async fn execute_in_terminal(
        &self,
        within: u64,
        execution: &Execution,
    ) -> Result<(Process, OwnedFd), Error> {
        let ask = |errno: rustix::io::Errno| Error::Ask(errno.into());
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(ask)?;
        let null = File::options().read(true).write(true).open("/dev/null").map_err(Error::Ask)?;
        let output = Output { stdout: theirs, stderr: null.into() };
        let execution = Execution { terminal: true, ..execution.clone() };
        let process = self.execute(within, &execution, output.into()).await?;
        // It was sent before the command was executed.
        let answer = protocol::receive::<()>(&ours).map_err(Error::Ask)?;
        let terminal = answer.and_then(|((), descriptors)| descriptors.into_iter().next());
        let missing = || Error::Ask(io::ErrorKind::UnexpectedEof.into());
        Ok((process, terminal.ok_or_else(missing)?))
    }

    /// Sends a signal to the first process of a container, or to a further one and those it started; nothing happens
    /// when it has ended.
    pub async fn signal(&self, process: u64, signal: i32) -> Result<(), Error> {
        self.started().await?.ask(&Request::Signal { container: process, signal }, &[]).await
    }

    async fn launch(
        &self,
        id: u64,
        request: &Request,
        configuration: &impl Serialize,
        Ends { input, output }: Ends,
    ) -> Result<Process, Error> {
        let configuration = in_memory(configuration).map_err(Error::Ask)?;
        let (report, write_report) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
            .map_err(|errno| Error::Ask(errno.into()))?;
        let channel = self.started().await?;
        let (started, exit) = channel.expect_process(id);
        let mut descriptors = vec![
            configuration.as_fd(),
            output.stdout.as_fd(),
            output.stderr.as_fd(),
            write_report.as_fd(),
        ];
        descriptors.extend(input.as_ref().map(AsFd::as_fd));
        channel.ask(request, &descriptors).await?;
        match started.await {
            Ok(Ok(())) => {}
            Ok(Err(message)) => return Err(Error::Refused { message }),
            Err(_) => return Err(Error::SupervisorGone),
        }
        // Our copies of the writing ends must be closed, or their readers would wait for ever.
        drop((write_report, input, output, configuration));
        let mut text = Vec::new();
        let mut report = pipe::Receiver::from_owned_fd(report).map_err(Error::Ask)?;
        report.read_to_end(&mut text).await.map_err(Error::Ask)?;
        if text.is_empty() {
            return Ok(Process { id, exit });
        }
        let refusal: Refusal =
            serde_json::from_slice(&text).map_err(|error| Error::Ask(error.into()))?;
        Err(Error::Refused { message: refusal.message })
    }
}

fn in_memory(value: &impl Serialize) -> Result<OwnedFd, io::Error> {
    let mut file = File::from(rustix::fs::memfd_create("flumen-pod", MemfdFlags::CLOEXEC)?);
    file.write_all(&serde_json::to_vec(value)?)?;
    file.rewind()?;
    Ok(file.into())
}
