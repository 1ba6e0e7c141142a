use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};

use crate::{
    failure::{Failure, Part},
    objects::{BUILD, FETCH, HAND_OVER},
};

/// How far a build is, by its Pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing runs yet.
    Waiting {
        /// Why, if Kubernetes says it.
        reason: Option<String>,
        /// Whether it waits for its image, which may not be there at all.
        image: bool,
    },
    /// The commit is being fetched.
    Fetching,
    /// It is being built.
    Building {
        /// The commit.
        commit: String,
    },
    /// The jar is there.
    HandingOver {
        /// The commit.
        commit: String,
    },
    /// It ended without one.
    Failed(Failure),
}

/// Reduces a Pod to how far its build is.
pub fn standing(pod: &Pod) -> Standing {
    let Some(status) = &pod.status else { return waiting(None) };
    let reason = status.reason.as_deref().unwrap_or_default();
    let message = status.message.clone().unwrap_or_default();
    let is_over = matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
    match reason {
        "DeadlineExceeded" if is_over => return Standing::Failed(Failure::Deadline),
        // Evicted, Preempting, NodeLost, UnexpectedAdmissionError and the like are not the build's own doing.
        other if is_over && !other.is_empty() => {
            return Standing::Failed(Failure::Evicted { reason: other.to_owned(), message });
        }
        _ => {}
    }
    let init = status.init_container_statuses.iter().flatten();
    let all: Vec<&ContainerStatus> =
        init.chain(status.container_statuses.iter().flatten()).collect();
    let of = |name: &str| all.iter().find(|one| one.name == name).copied();
    let (fetch, build, hand_over) = (of(FETCH), of(BUILD), of(HAND_OVER));
    let Some(fetched) = terminated(fetch) else {
        return if is_running(fetch) { Standing::Fetching } else { waits(pod, fetch, is_over) };
    };
    if fetched.exit_code != 0 {
        return failed(Part::Fetch, fetched);
    }
    let commit = fetched.message.as_deref().unwrap_or_default().trim().to_owned();
    if !is_commit(&commit) {
        return Standing::Failed(Failure::NoCommit { said: commit });
    }
    let Some(done) = terminated(build) else {
        // Between two containers none runs, and what is to come is being done as far as anybody cares.
        return if is_over { lost(message) } else { Standing::Building { commit } };
    };
    if done.exit_code != 0 {
        return failed(Part::Build, done);
    }
    match terminated(hand_over) {
        Some(ended) if ended.exit_code != 0 => failed(Part::HandOver, ended),
        // Whoever ends it deletes the Pod.
        Some(_) => lost(message),
        None if is_over => lost(message),
        None if is_running(hand_over) => Standing::HandingOver { commit },
        None => Standing::Building { commit },
    }
}

fn waiting(reason: Option<String>) -> Standing {
    Standing::Waiting { reason, image: false }
}

fn lost(message: String) -> Standing {
    Standing::Failed(Failure::Evicted { reason: "Ended".to_owned(), message })
}

fn terminated(container: Option<&ContainerStatus>) -> Option<&ContainerStateTerminated> {
    container?.state.as_ref()?.terminated.as_ref()
}

fn is_running(container: Option<&ContainerStatus>) -> bool {
    container.and_then(|one| one.state.as_ref()).is_some_and(|state| state.running.is_some())
}

fn failed(part: Part, ended: &ContainerStateTerminated) -> Standing {
    let message = ended.message.as_deref().unwrap_or_default();
    let reason = ended.reason.as_deref().unwrap_or_default();
    Standing::Failed(Failure::of(part, ended.exit_code, reason, message))
}

/// Why the first container does not run yet.
fn waits(pod: &Pod, fetch: Option<&ContainerStatus>, is_over: bool) -> Standing {
    const PULLS: [&str; 3] = ["ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"];
    let state = fetch.and_then(|one| one.state.as_ref());
    let said = state.and_then(|state| state.waiting.as_ref());
    let reason = said.and_then(|said| said.reason.as_deref()).unwrap_or_default();
    let message = said.and_then(|said| said.message.clone()).unwrap_or_default();
    let text = |reason: &str, message: &str| {
        if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") }
    };
    if is_over {
        return lost(text(reason, &message));
    }
    match reason {
        "InvalidImageName"
        | "ErrImageNeverPull"
        | "CreateContainerConfigError"
        | "CreateContainerError" => {
            Standing::Failed(Failure::Image { reason: text(reason, &message) })
        }
        _ if PULLS.contains(&reason) => {
            Standing::Waiting { reason: Some(text(reason, &message)), image: true }
        }
        "" | "PodInitializing" | "ContainerCreating" => waiting(unscheduled(pod)),
        _ => waiting(Some(text(reason, &message))),
    }
}

fn unscheduled(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = conditions.iter().find(|one| one.type_ == "PodScheduled")?;
    let (reason, message) = (scheduled.reason.as_deref()?, scheduled.message.as_deref()?);
    (scheduled.status == "False").then(|| format!("{reason}: {message}"))
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
