//! One look at a container, or one call of a hook: a command in it, a request over HTTP or gRPC, a connection.

mod beginning;
mod grpc;
mod http_get;
mod tls;

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::{
    api::core::v1::{
        Container, ExecAction, GRPCAction, HTTPGetAction, LifecycleHandler, Probe, SleepAction,
        TCPSocketAction,
    },
    apimachinery::pkg::util::intstr::IntOrString,
};
use nix::errno::Errno;
use rustix::pipe::PipeFlags;
use tokio::{io::AsyncReadExt, net::unix::pipe, time::timeout};

use super::node::Node;
use crate::{
    error::chain,
    protocol::{self, Execution, Exit},
    runner::{self, Output},
};
use grpc::Call;
use http_get::Get;

/// What is looked at.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) node: Arc<Node>,
    pub(super) process: u64,
    pub(super) address: Ipv4Addr,
    pub(super) container: Arc<Container>,
    pub(super) configuration: Arc<protocol::Container>,
}

/// What is done.
pub(super) enum Check {
    Exec(Vec<String>),
    Http(HTTPGetAction, Purpose),
    Tcp(TCPSocketAction),
    Grpc(GRPCAction),
    Sleep(Duration),
}

/// Who asks over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Probe,
    /// Any answer will do.
    Hook,
}

/// What there is to say about a success.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Plainly,
    /// The answer names another host, which is not asked.
    Redirected(String),
    /// TLS was asked for, and it went without.
    WithoutTls(String),
}

/// Most of a command's output that is told.
const LONGEST_OUTPUT: u64 = 4096;
/// As whom probes ask.
const PROBE: &str = "kube-probe/1.33";

impl Check {
    pub(super) fn of_probe(probe: &Probe) -> Option<Self> {
        let http = probe.http_get.clone().map(|get| Self::Http(get, Purpose::Probe));
        let exec = probe.exec.as_ref().map(Self::of_command);
        exec.or(http)
            .or_else(|| probe.tcp_socket.clone().map(Self::Tcp))
            .or_else(|| probe.grpc.clone().map(Self::Grpc))
    }

    pub(super) fn of_hook(hook: &LifecycleHandler) -> Option<Self> {
        let http = hook.http_get.clone().map(|get| Self::Http(get, Purpose::Hook));
        let exec = hook.exec.as_ref().map(Self::of_command);
        let seconds = |sleep: &SleepAction| u64::try_from(sleep.seconds).unwrap_or_default();
        exec.or(http).or_else(|| hook.tcp_socket.clone().map(Self::Tcp)).or_else(|| {
            hook.sleep.as_ref().map(|sleep| Self::Sleep(Duration::from_secs(seconds(sleep))))
        })
    }

    fn of_command(exec: &ExecAction) -> Self {
        Self::Exec(exec.command.clone().unwrap_or_default())
    }

    /// Fails with what is to be told.
    pub(super) async fn run(&self, target: &Target, longest: Duration) -> Result<Passed, String> {
        match self {
            Self::Exec(command) => target.execute(command, longest).await,
            Self::Http(action, purpose) => target.get(action, *purpose, longest).await,
            Self::Tcp(action) => target.connect(action, longest).await,
            Self::Grpc(action) => target.call(action, longest).await,
            Self::Sleep(duration) => {
                tokio::time::sleep((*duration).min(longest)).await;
                Ok(Passed::Plainly)
            }
        }
    }
}

impl Target {
    async fn execute(&self, command: &[String], longest: Duration) -> Result<Passed, String> {
        let execution = Execution::like(&self.configuration, command);
        let text = |error: &dyn std::error::Error| chain(error);
        let (read, write) =
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|error| text(&error))?;
        let stderr = write.try_clone().map_err(|error| text(&error))?;
        let output = Output { stdout: write, stderr };
        let read = pipe::Receiver::from_owned_fd(read).map_err(|error| text(&error))?;
        let (mut started, mut said) = (None, Vec::new());
        let ended = timeout(longest, async {
            let process = self.node.runner.execute(self.process, &execution, output.into()).await?;
            started = Some(process.id);
            // What it says beyond that is for nobody; a full pipe would stop it.
            let mut head = read.take(LONGEST_OUTPUT);
            let _ = head.read_to_end(&mut said).await;
            let _ = tokio::io::copy(&mut head.into_inner(), &mut tokio::io::sink()).await;
            Ok::<_, runner::Error>(process.exit.await)
        })
        .await;
        match ended {
            Ok(Ok(Ok(Exit::Code(0)))) => Ok(Passed::Plainly),
            Ok(Ok(Ok(exit))) => Err(format!(
                "command ended with {}: {}",
                exit.code(),
                String::from_utf8_lossy(&said).trim()
            )),
            Ok(Ok(Err(_))) => Err("the container has ended".to_owned()),
            Ok(Err(error)) => Err(text(&error)),
            Err(_) => {
                // What has not started yet ends with our waiting for it.
                if let Some(process) = started {
                    let kill = nix::sys::signal::Signal::SIGKILL as i32;
                    // Its container may have ended meanwhile.
                    let _ = self.node.runner.signal(process, kill).await;
                }
                Err(format!("command did not end within {longest:?}"))
            }
        }
    }

    fn socket_address(&self, port: &IntOrString, host: Option<&str>) -> Result<SocketAddr, String> {
        let number = match port {
            IntOrString::Int(number) => Some(*number),
            IntOrString::String(name) => {
                let ports = self.container.ports.iter().flatten();
                let named: BTreeMap<_, _> = ports
                    .filter_map(|port| Some((port.name.clone()?, port.container_port)))
                    .collect();
                named.get(name).copied().or_else(|| name.parse().ok())
            }
        };
        let number = number.and_then(|number| u16::try_from(number).ok());
        let number = number.ok_or_else(|| format!("the container has no port {port:?}"))?;
        let host = host.filter(|host| !host.is_empty());
        let address = match host {
            Some(host) => host.parse().map_err(|_| format!("{host:?} is no address"))?,
            None => self.address,
        };
        Ok(SocketAddr::from((address, number)))
    }

    async fn connect(&self, action: &TCPSocketAction, longest: Duration) -> Result<Passed, String> {
        let address = self.socket_address(&action.port, action.host.as_deref())?;
        match timeout(longest, self.node.network.connect(address)).await {
            Ok(Ok(_)) => Ok(Passed::Plainly),
            Ok(Err(error)) => Err(dial_problem(address, &error)),
            Err(_) => Err(format!("dial tcp {address}: i/o timeout")),
        }
    }

    async fn get(
        &self,
        action: &HTTPGetAction,
        purpose: Purpose,
        longest: Duration,
    ) -> Result<Passed, String> {
        let address = self.socket_address(&action.port, action.host.as_deref())?;
        let dial = self.node.network.dialer();
        Get { action, purpose, address, dial: &dial, longest }.run().await
    }

    async fn call(&self, action: &GRPCAction, longest: Duration) -> Result<Passed, String> {
        let address = self.socket_address(&IntOrString::Int(action.port), None)?;
        let dial = self.node.network.dialer();
        let service = action.service.as_deref().unwrap_or_default();
        Call { address, service, dial: &dial, longest }.run().await
    }
}

/// The words of Go for a connection that there is not.
fn dial_problem(address: SocketAddr, error: &io::Error) -> String {
    let known = error.raw_os_error().map(|code| Errno::from_raw(code).desc().to_lowercase());
    let problem = known.unwrap_or_else(|| chain(error));
    format!("dial tcp {address}: connect: {problem}")
}
