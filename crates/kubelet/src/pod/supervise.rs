//! The supervisor: first process of the node's pid namespace and parent of all containers.
//!
//! When it dies the kernel kills everything below it, whatever the containers did to their own credentials; and it
//! dies with the kubelet (parent-death signal, end of the socket). That is the whole guarantee that no pod outlives
//! its kubelet, so this process does as little as possible.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read, Write},
    os::fd::{AsFd, AsRawFd, OwnedFd},
    process::{Command, Stdio},
};

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{
        signal::{SigSet, Signal, kill, killpg},
        signalfd::{SfdFlags, SignalFd},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{FdFlags, fcntl_setfd},
};

use super::{
    failure::{Failure, during},
    keyring::{self, Session},
    namespaces::{self, Surroundings},
    sandbox::READY,
};
use crate::protocol::{self, Event, Exit, IdMap, Request};

/// Said where the kernel has no room for a keyring.
const KEPT_KEYRING: &str = "warning: pods may read the keys in the session keyring of whoever started this node, as the kernel makes no other: \
     that user has as many keys as it may have; remove some (`cat /proc/keys`), or raise kernel.keys.maxkeys, and start it again";

struct Sandbox {
    user: OwnedFd,
    map: IdMap,
    surroundings: Surroundings,
}

struct Running {
    pid: Pid,
    pod: String,
    /// Not the first process of its container: signals are also for those that it started.
    further: bool,
}

struct Supervisor {
    own: Surroundings,
    own_pids: OwnedFd,
    sandboxes: HashMap<String, Sandbox>,
    containers: HashMap<u64, Running>,
}

pub(super) fn run() -> Result<(), Failure> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(during("ask to die with the kubelet"))?;
    // A Ctrl-C at the terminal is for the kubelet, which then stops the pods with their grace.
    rustix::process::setsid().map_err(during("leave the terminal's session"))?;
    std::env::set_current_dir("/").map_err(during("enter the root directory"))?;
    if keyring::leave()? == Session::Inherited {
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(io::stderr(), "{KEPT_KEYRING}");
    }
    // Nobody but the host's root could return to those of the host from the namespaces of a pod.
    let own = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    unshare(own).map_err(during("make namespaces of its own"))?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
        .map_err(during("keep own mounts from the host"))?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None::<&str>)
        .map_err(during("mount /proc"))?;

    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block().map_err(during("block SIGCHLD"))?;
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(during("watch for SIGCHLD"))?;
    let mut supervisor = Supervisor {
        own: Surroundings::of("self")?,
        own_pids: namespaces::open("self", "pid")?,
        sandboxes: HashMap::new(),
        containers: HashMap::new(),
    };
    let stdin = io::stdin();
    loop {
        let mut ready = [
            PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
        ];
        match poll(&mut ready, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Failure::new("wait for requests", errno.into())),
        }
        let [requests, children] = ready.map(|descriptor| !descriptor.revents().is_empty());
        if children {
            while let Ok(Some(_)) = signals.read_signal() {}
            supervisor.reap()?;
        }
        if requests {
            match protocol::receive::<Request>(stdin.as_fd()).map_err(during("read a request"))? {
                Some((request, descriptors)) => supervisor.serve(request, descriptors)?,
                None => return Ok(()),
            }
        }
    }
}

fn tell(event: &Event, descriptors: &[std::os::fd::BorrowedFd<'_>]) -> Result<(), Failure> {
    protocol::send(io::stdin().as_fd(), event, descriptors).map_err(during("tell the kubelet"))
}

impl Supervisor {
    fn serve(&mut self, request: Request, descriptors: Vec<OwnedFd>) -> Result<(), Failure> {
        match request {
            Request::CreateSandbox { pod, hostname, map } => match create_sandbox(&hostname, map) {
                Ok(sandbox) => {
                    tell(
                        &Event::SandboxCreated { pod: pod.clone() },
                        &[sandbox.surroundings.network.as_fd()],
                    )?;
                    self.sandboxes.insert(pod, sandbox);
                    Ok(())
                }
                Err(failure) => tell(&Event::SandboxFailed { pod, message: failure.line() }, &[]),
            },
            Request::Start { container, pod } => {
                let started = self.start(&pod, descriptors);
                self.return_home()?;
                self.answer(container, started.map(|pid| Running { pid, pod, further: false }))
            }
            Request::Execute { container, within } => {
                let pod = self
                    .containers
                    .get(&within)
                    .map(|running| running.pod.clone())
                    .unwrap_or_default();
                let started = self.execute(within, descriptors);
                self.return_home()?;
                self.answer(container, started.map(|pid| Running { pid, pod, further: true }))
            }
            Request::Signal { container, signal } => {
                if let (Some(running), Ok(signal)) =
                    (self.containers.get(&container), Signal::try_from(signal))
                {
                    // A process that ended meanwhile is not reaped yet or no longer in the table: no pid is reused.
                    if !running.further || killpg(running.pid, signal).is_err() {
                        let _ = kill(running.pid, signal);
                    }
                }
                Ok(())
            }
            Request::RemoveSandbox { pod } => {
                self.sandboxes.remove(&pod);
                Ok(())
            }
        }
    }

    fn answer(&mut self, container: u64, started: Result<Running, Failure>) -> Result<(), Failure> {
        match started {
            Ok(running) => {
                self.containers.insert(container, running);
                tell(&Event::Started { container }, &[])
            }
            Err(failure) => tell(&Event::NotStarted { container, message: failure.line() }, &[]),
        }
    }

    fn start(&self, pod: &str, descriptors: Vec<OwnedFd>) -> Result<Pid, Failure> {
        let sandbox = self.sandbox(pod)?;
        sandbox.surroundings.enter()?;
        unshare(CloneFlags::CLONE_NEWPID).map_err(during("make a pid namespace"))?;
        spawn_stage("container", descriptors, &[&sandbox.user])
    }

    fn execute(&self, within: u64, descriptors: Vec<OwnedFd>) -> Result<Pid, Failure> {
        let running = self
            .containers
            .get(&within)
            .ok_or_else(|| Failure::new("find the container", not_found()))?;
        let sandbox = self.sandbox(&running.pod)?;
        let pid = running.pid.to_string();
        let (pids, mounts) = (namespaces::open(&pid, "pid")?, namespaces::open(&pid, "mnt")?);
        // Where there is one id, a container has the number that it sees of it from a namespace of its own.
        let own = sandbox.map.is_one().then(|| namespaces::open(&pid, "user")).transpose()?;
        sandbox.surroundings.enter()?;
        namespaces::enter(&pids, CloneFlags::CLONE_NEWPID)?;
        spawn_stage("execute", descriptors, &[own.as_ref().unwrap_or(&sandbox.user), &mounts])
    }

    fn sandbox(&self, pod: &str) -> Result<&Sandbox, Failure> {
        self.sandboxes
            .get(pod)
            .ok_or_else(|| Failure::new(format!("find the namespaces of pod {pod}"), not_found()))
    }

    /// Failing here would put the next pod into this one's namespaces, so it ends the supervisor instead.
    fn return_home(&self) -> Result<(), Failure> {
        namespaces::enter(&self.own_pids, CloneFlags::CLONE_NEWPID)?;
        self.own.enter()
    }

    fn reap(&mut self) -> Result<(), Failure> {
        loop {
            let (pid, exit) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, Exit::Code(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, Exit::Signal(signal as i32)),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(()),
                Ok(_) | Err(Errno::EINTR) => continue,
                Err(errno) => return Err(Failure::new("reap a process", errno.into())),
            };
            let found =
                self.containers.iter().find(|(_, running)| running.pid == pid).map(|(id, _)| *id);
            if let Some(container) = found {
                self.containers.remove(&container);
                tell(&Event::Exited { container, exit }, &[])?;
            }
        }
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

/// This program again, as another stage.
fn stage(name: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    let own: Vec<_> = std::env::args_os().collect();
    command.args(&own[1..own.len() - 1]).arg(name).env_clear();
    command
}

fn spawn_stage(
    name: &str,
    descriptors: Vec<OwnedFd>,
    inherited: &[&OwnedFd],
) -> Result<Pid, Failure> {
    let missing =
        || Failure::new("read the request's descriptors", io::ErrorKind::InvalidInput.into());
    let mut descriptors = descriptors.into_iter();
    let mut next = || descriptors.next().ok_or_else(missing);
    let (configuration, stdout, stderr, report) = (next()?, next()?, next()?, next()?);
    let further: Vec<OwnedFd> = descriptors.collect();
    let mut command = stage(name);
    command
        .stdin(Stdio::from(configuration))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr));
    let mut handed = vec![&report];
    handed.extend(inherited);
    handed.extend(&further);
    for descriptor in &handed {
        command.arg(descriptor.as_raw_fd().to_string());
        fcntl_setfd(descriptor, FdFlags::empty()).map_err(during("hand a descriptor over"))?;
    }
    let spawned = command.spawn().map_err(during("start a process"));
    for descriptor in &handed {
        fcntl_setfd(descriptor, FdFlags::CLOEXEC).map_err(during("keep a descriptor"))?;
    }
    spawned.map(|child| pid_of(&child))
}

fn pid_of(child: &std::process::Child) -> Pid {
    // Process ids fit in 22 bits.
    Pid::from_raw(child.id().cast_signed())
}

fn create_sandbox(hostname: &str, map: IdMap) -> Result<Sandbox, Failure> {
    let mut child = stage("sandbox")
        .arg(hostname)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(during("start the pod's first process"))?;
    let result = adopt_sandbox(&mut child, map);
    drop(child.stdin.take());
    let ended = child.wait().map_err(during("wait for the pod's first process"))?;
    let sandbox = result?;
    if !ended.success() {
        return Err(Failure::new(
            "set the pod's namespaces up",
            io::Error::other(ended.to_string()),
        ));
    }
    Ok(sandbox)
}

fn adopt_sandbox(child: &mut std::process::Child, map: IdMap) -> Result<Sandbox, Failure> {
    let mut ready = [0];
    if let Some(stdout) = &mut child.stdout {
        stdout.read_exact(&mut ready).map_err(during("make the pod's namespaces"))?;
    }
    if ready != [READY] {
        return Err(Failure::new("make the pod's namespaces", io::ErrorKind::InvalidData.into()));
    }
    let pid = child.id().to_string();
    let line = format!("0 {} {}\n", map.host, map.size);
    if map.is_one() {
        // Without privileges a group map is only accepted from a process that can no longer set groups.
        fs::write(format!("/proc/{pid}/setgroups"), "deny").map_err(during("deny setgroups"))?;
    }
    for file in ["gid_map", "uid_map"] {
        let path = format!("/proc/{pid}/{file}");
        File::options()
            .write(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(during(format!("write {path}")))?;
    }
    let user = namespaces::open(&pid, "user")?;
    Ok(Sandbox { user, map, surroundings: Surroundings::of(&pid)? })
}
