//! One look at a container, or one call of a hook: a command in it, an HTTP request, a connection.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use k8s_openapi::{
    api::core::v1::{
        Container, ExecAction, HTTPGetAction, LifecycleHandler, Probe, SleepAction, TCPSocketAction,
    },
    apimachinery::pkg::util::intstr::IntOrString,
};
use rustix::pipe::PipeFlags;
use tokio::{io::AsyncReadExt, net::unix::pipe, time::timeout};

use super::node::Node;
use crate::{
    error::chain,
    protocol::{self, Execution, Exit},
    runner::Output,
};

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
    Http(HTTPGetAction),
    Tcp(TCPSocketAction),
    Sleep(Duration),
}

/// Most of a command's output that is told.
const LONGEST_OUTPUT: u64 = 4096;

impl Check {
    pub(super) fn of_probe(probe: &Probe) -> Option<Self> {
        Self::of(probe.exec.as_ref(), probe.http_get.as_ref(), probe.tcp_socket.as_ref(), None)
    }

    pub(super) fn of_hook(hook: &LifecycleHandler) -> Option<Self> {
        Self::of(
            hook.exec.as_ref(),
            hook.http_get.as_ref(),
            hook.tcp_socket.as_ref(),
            hook.sleep.as_ref(),
        )
    }

    fn of(
        exec: Option<&ExecAction>,
        http: Option<&HTTPGetAction>,
        tcp: Option<&TCPSocketAction>,
        sleep: Option<&SleepAction>,
    ) -> Option<Self> {
        let exec = exec.map(|exec| Self::Exec(exec.command.clone().unwrap_or_default()));
        exec.or_else(|| http.cloned().map(Self::Http))
            .or_else(|| tcp.cloned().map(Self::Tcp))
            .or_else(|| {
                sleep.map(|sleep| {
                    Self::Sleep(Duration::from_secs(
                        u64::try_from(sleep.seconds).unwrap_or_default(),
                    ))
                })
            })
    }

    /// Fails with what is to be told.
    pub(super) async fn run(&self, target: &Target, longest: Duration) -> Result<(), String> {
        match self {
            Self::Exec(command) => target.execute(command, longest).await,
            Self::Http(action) => timed(longest, target.get(action)).await,
            Self::Tcp(action) => {
                timed(longest, target.connect(&action.port, action.host.as_deref())).await
            }
            Self::Sleep(duration) => {
                tokio::time::sleep((*duration).min(longest)).await;
                Ok(())
            }
        }
    }
}

async fn timed(
    longest: Duration,
    work: impl Future<Output = Result<(), String>>,
) -> Result<(), String> {
    timeout(longest, work).await.unwrap_or_else(|_| Err(format!("no answer within {longest:?}")))
}

impl Target {
    async fn execute(&self, command: &[String], longest: Duration) -> Result<(), String> {
        let execution = Execution::like(&self.configuration, command);
        let text = |error: &dyn std::error::Error| chain(error);
        let (read, write) =
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|error| text(&error))?;
        let stderr = write.try_clone().map_err(|error| text(&error))?;
        let output = Output { stdout: write, stderr };
        let process = self.node.runner.execute(self.process, &execution, output.into()).await;
        let process = process.map_err(|error| text(&error))?;
        let read = pipe::Receiver::from_owned_fd(read).map_err(|error| text(&error))?;
        let mut said = Vec::new();
        let ended = timeout(longest, async {
            // What it says beyond that is for nobody; a full pipe would stop it.
            let mut head = read.take(LONGEST_OUTPUT);
            let _ = head.read_to_end(&mut said).await;
            let _ = tokio::io::copy(&mut head.into_inner(), &mut tokio::io::sink()).await;
            process.exit.await
        })
        .await;
        match ended {
            Ok(Ok(Exit::Code(0))) => Ok(()),
            Ok(Ok(exit)) => Err(format!(
                "command ended with {}: {}",
                exit.code(),
                String::from_utf8_lossy(&said).trim()
            )),
            Ok(Err(_)) => Err("the container has ended".to_owned()),
            Err(_) => {
                let kill = nix::sys::signal::Signal::SIGKILL as i32;
                // Its container may have ended meanwhile.
                let _ = self.node.runner.signal(process.id, kill).await;
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

    async fn connect(&self, port: &IntOrString, host: Option<&str>) -> Result<(), String> {
        let address = self.socket_address(port, host)?;
        let connected = self.node.network.connect(address).await;
        connected.map(drop).map_err(|error| format!("dial tcp {address}: {error}"))
    }

    async fn get(&self, action: &HTTPGetAction) -> Result<(), String> {
        let address = self.socket_address(&action.port, action.host.as_deref())?;
        let path = action.path.as_deref().unwrap_or("/");
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let url = format!("http://{address}{path}");
        let failed = |error: &dyn std::error::Error| format!("Get {url:?}: {}", chain(error));
        let connection =
            self.node.network.connect(address).await.map_err(|error| failed(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(connection))
                .await
                .map_err(|error| failed(&error))?;
        let connection = tokio::spawn(connection);
        let mut request =
            http::Request::get(path).header(http::header::USER_AGENT, "kube-probe/1.33");
        let mut has_host = false;
        for header in action.http_headers.iter().flatten() {
            has_host |= header.name.eq_ignore_ascii_case("host");
            request = request.header(&header.name, &header.value);
        }
        if !has_host {
            request = request.header(http::header::HOST, address.to_string());
        }
        let request = request.body(Empty::<bytes::Bytes>::new()).map_err(|error| failed(&error))?;
        let answer = sender.send_request(request).await.map_err(|error| failed(&error));
        connection.abort();
        let status = answer?.status();
        if status.is_success() || status.is_redirection() {
            Ok(())
        } else {
            Err(format!("HTTP probe failed with statuscode: {}", status.as_u16()))
        }
    }
}
