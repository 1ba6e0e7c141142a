//! What actions do. Effects know nothing of the state; they bring an [`Outcome`].

use std::{future::Future, io::SeekFrom, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod, PodStatus};
use kube::Api;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::{
    decide::Action,
    node::Node,
    pull, report, sandbox,
    start::{self, Problem, Start, Started},
    state::{Ended, Event, Need, State, all_containers},
    worker::{address, process},
};
use crate::{
    cgroups::Group,
    error::chain,
    logs::{self, History},
    network::Attachment,
    protocol::Exit,
    remove, volumes,
};

/// What an effect brought.
pub(super) enum Outcome {
    Event(Event),
    VolumesReady(Option<Timestamp>),
    Attached(Attachment),
    Started(String, Box<Started>),
    Refreshed(Result<Option<Timestamp>, volumes::Error>),
    Reported(Box<PodStatus>, Result<u64, kube::Error>),
    Deleted(Result<(), kube::Error>),
}

pub(super) type Effect = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Exit code and reason of a container whose process could not become its command.
const NOT_EXECUTED: (i32, &str) = (128, "StartError");
/// How long the rest of a container's output may take to arrive after its end.
const LAST_OUTPUT: Duration = Duration::from_secs(2);
/// Longest message that a container can leave.
const LONGEST_MESSAGE: u64 = 4096;

/// The effect of an action; `None` when the state does not have what it needs.
pub(super) fn prepare(
    node: &Arc<Node>,
    pod: &Arc<Pod>,
    uid: &str,
    state: &State,
    action: &Action,
) -> Option<Effect> {
    let (node, pod, uid) = (Arc::clone(node), Arc::clone(pod), uid.to_owned());
    let container =
        |name: &str| all_containers(&pod).find(|container| container.name == name).cloned();
    Some(match action {
        Action::PrepareVolumes => {
            let volumes = node.volumes(&uid, address(state));
            Box::pin(async move {
                match volumes.prepare(&pod).await {
                    Ok(refresh_at) => Outcome::VolumesReady(refresh_at),
                    Err(error) => Outcome::Event(Event::VolumesFailed(chain(&error))),
                }
            })
        }
        Action::CreateSandbox => Box::pin(async move {
            match sandbox::create(&node, &pod, &uid).await {
                Ok(attachment) => Outcome::Attached(attachment),
                Err(error) => {
                    // Half of it may exist; nothing is lost when it does not.
                    let _ = node.runner.remove_sandbox(&uid).await;
                    Outcome::Event(Event::SandboxFailed(chain(&error)))
                }
            }
        }),
        Action::Pull(name) => {
            let container = container(name)?;
            Box::pin(async move { Outcome::Event(pull::run(&node, &pod, &container).await) })
        }
        Action::Start(name) => {
            let known = state.containers.get(name)?;
            let (Need::Ready(image), Some(address)) = (&known.image, address(state)) else {
                return None;
            };
            let start = Start {
                container: container(name)?,
                image: Arc::clone(image),
                address,
                attempt: known.next_attempt(),
                pod,
                uid,
            };
            Box::pin(begin_container(node, name.clone(), start))
        }
        Action::Terminate(name) => {
            let stop = match &state.containers.get(name)?.image {
                Need::Ready(image) => image.run.stop_signal.as_deref().and_then(signal_number),
                _ => None,
            };
            signal(
                node,
                name.clone(),
                process(state, name)?,
                stop.unwrap_or(nix::sys::signal::Signal::SIGTERM as i32),
            )
        }
        Action::Kill(name) => signal(
            node,
            name.clone(),
            process(state, name)?,
            nix::sys::signal::Signal::SIGKILL as i32,
        ),
        Action::ReleaseSandbox => Box::pin(async move {
            if let Err(error) = node.runner.remove_sandbox(&uid).await {
                tracing::debug!(%error, pod = uid, "could not release a pod's namespaces");
            }
            Outcome::Event(Event::SandboxReleased)
        }),
        Action::Delete => {
            let gone = state.gone;
            Box::pin(async move { Outcome::Deleted(delete(&node, &pod, &uid, gone).await) })
        }
    })
}

/// `SIGTERM` or `15`, as images have it.
fn signal_number(text: &str) -> Option<i32> {
    text.parse::<i32>().ok().or_else(|| {
        let name = text.to_uppercase();
        let name = if name.starts_with("SIG") { name } else { format!("SIG{name}") };
        name.parse::<nix::sys::signal::Signal>().ok().map(|signal| signal as i32)
    })
}

fn signal(node: Arc<Node>, name: String, process: u64, signal: i32) -> Effect {
    Box::pin(async move {
        if let Err(error) = node.runner.signal(process, signal).await {
            tracing::debug!(%error, "could not signal a container");
        }
        Outcome::Event(Event::Signalled(name))
    })
}

async fn begin_container(node: Arc<Node>, name: String, start: Start) -> Outcome {
    match start.run(&node).await {
        Ok(started) => Outcome::Started(name, Box::new(started)),
        Err(Problem::Refused { reason, message }) => {
            Outcome::Event(Event::Refused(name, reason.to_owned(), message))
        }
        Err(Problem::NotExecuted { message, container_id }) => {
            let ended = Ended {
                exit_code: NOT_EXECUTED.0,
                reason: NOT_EXECUTED.1.to_owned(),
                message: Some(message),
                started_at: None,
                finished_at: Timestamp::now(),
                container_id: Some(container_id),
            };
            Outcome::Event(Event::Exited(name, ended))
        }
    }
}

/// Waits for the end of a container and of its output.
pub(super) async fn wait(
    node: Arc<Node>,
    uid: String,
    container: Container,
    started: Started,
) -> Outcome {
    // Without an answer the supervisor is gone, and it has killed everything.
    let exit = started.exit.await.unwrap_or(Exit::Signal(9));
    let finished_at = Timestamp::now();
    if tokio::time::timeout(LAST_OUTPUT, started.output).await.is_err() {
        tracing::debug!(
            pod = uid,
            container = container.name,
            "the output of a container did not end"
        );
    }
    let code = exit.code();
    let mut message = read_message(started.termination_message).await;
    let from_logs =
        container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError");
    if message.is_none() && code != 0 && from_logs {
        message = start::last_words(node.logs.find(&(uid, container.name.clone())).current).await;
    }
    let out_of_memory = started.group.as_ref().is_some_and(Group::was_out_of_memory);
    if let Some(group) = started.group {
        group.remove();
    }
    let reason = match code {
        0 => "Completed",
        _ if out_of_memory => "OOMKilled",
        _ => "Error",
    };
    let ended = Ended {
        exit_code: code,
        reason: reason.to_owned(),
        message,
        started_at: Some(started.running.started_at),
        finished_at,
        container_id: Some(started.running.container_id),
    };
    Outcome::Event(Event::Exited(container.name, ended))
}

/// The end of the message, as the real kubelet takes it: the container may have written without end.
async fn read_message(path: PathBuf) -> Option<String> {
    let mut file = tokio::fs::File::open(path).await.ok()?;
    let length = file.metadata().await.ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_MESSAGE))).await.ok()?;
    let mut text = Vec::new();
    file.take(LONGEST_MESSAGE).read_to_end(&mut text).await.ok()?;
    Some(String::from_utf8_lossy(&text).into_owned()).filter(|text| !text.is_empty())
}

async fn delete(node: &Node, pod: &Pod, uid: &str, gone: bool) -> Result<(), kube::Error> {
    let directory = node.pod_directory(uid);
    let removed = tokio::task::spawn_blocking(move || remove::directory(&directory)).await;
    if let Ok(Err(error)) = removed {
        // The next start of the kubelet tries again.
        tracing::warn!(%error, pod = uid, "could not remove a pod's directory");
    }
    if !gone {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        report::delete(&Api::namespaced(node.client.clone(), namespace), pod).await?;
    }
    node.logs.forget(uid);
    Ok(())
}

/// Makes the logs of an earlier kubelet known.
pub(super) fn adopt_logs(node: &Node, pod: &Pod, uid: &str) {
    for container in all_containers(pod) {
        let directory = start::log_directory(node, uid, &container.name);
        let mut attempts: Vec<(u32, PathBuf)> = std::fs::read_dir(directory)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                Some((entry.path().file_stem()?.to_str()?.parse().ok()?, entry.path()))
            })
            .collect();
        attempts.sort();
        let mut newest = attempts.into_iter().rev().map(|(_, path)| path);
        let history = History {
            current: newest.next().and_then(|path| logs::finished(&path)),
            previous: newest.next().and_then(|path| logs::finished(&path)),
        };
        node.logs.adopt((uid.to_owned(), container.name.clone()), history);
    }
}
