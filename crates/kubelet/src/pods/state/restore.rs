//! The state of a pod that an earlier kubelet on this node ran: none of its processes is left.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};

use super::{ContainerState, Course, Ended, Need, Run, State, all_containers};

/// Exit code and reason of a container whose end nobody saw.
const UNSEEN_EXIT: i32 = 255;
const UNSEEN_REASON: &str = "Unknown";

impl State {
    /// Where to go on with a pod: from what its status says, after a restart of the node.
    pub(crate) fn restore(pod: &Pod, now: Timestamp) -> Self {
        let status = pod.status.as_ref();
        let mut state = Self {
            volumes: Need::Missing,
            sandbox: Need::Missing,
            containers: all_containers(pod)
                .map(|container| (container.name.clone(), ContainerState::default()))
                .collect(),
            started_at: status
                .and_then(|status| status.start_time.as_ref())
                .map_or(now, |time| time.0),
            begun: None,
            stopping: None,
            gone: false,
            finished: match status.and_then(|status| status.phase.as_deref()) {
                Some("Succeeded") => Some(Course::Succeeded),
                Some("Failed") => Some(Course::Failed),
                _ => None,
            },
            rejection: None,
            reported: false,
            deleting: false,
        };
        let Some(status) = status else { return state };
        for seen in status.init_container_statuses.iter().flatten() {
            // The namespaces are new, so what init containers did may be lost: they run again.
            let container = state.container(&seen.name);
            container.restarts = u32::try_from(seen.restart_count).unwrap_or_default();
            container.last = ended(seen, now).or_else(|| last(seen, now));
            container.attempted = container.last.is_some();
        }
        for seen in status.container_statuses.iter().flatten() {
            let before = ended(seen, now);
            let container = state.container(&seen.name);
            container.restarts = u32::try_from(seen.restart_count).unwrap_or_default();
            container.last = last(seen, now);
            if let Some(before) = before {
                container.crashes = 1;
                container.run = Run::Ended(before);
            } else {
                container.crashes = container.restarts;
                container.attempted = container.last.is_some();
            }
        }
        state
    }
}

fn ended(seen: &ContainerStatus, now: Timestamp) -> Option<Ended> {
    let state = seen.state.as_ref()?;
    if let Some(terminated) = &state.terminated {
        return Some(read(terminated, now));
    }
    state.running.as_ref().map(|running| Ended {
        exit_code: UNSEEN_EXIT,
        reason: UNSEEN_REASON.to_owned(),
        message: Some("the node was restarted while the container ran".to_owned()),
        started_at: running.started_at.as_ref().map(|time| time.0),
        finished_at: now,
        container_id: seen.container_id.clone(),
    })
}

fn last(seen: &ContainerStatus, now: Timestamp) -> Option<Ended> {
    Some(read(seen.last_state.as_ref()?.terminated.as_ref()?, now))
}

fn read(terminated: &ContainerStateTerminated, now: Timestamp) -> Ended {
    Ended {
        exit_code: terminated.exit_code,
        reason: terminated.reason.clone().unwrap_or_default(),
        message: terminated.message.clone(),
        started_at: terminated.started_at.as_ref().map(|time| time.0),
        finished_at: terminated.finished_at.as_ref().map_or(now, |time| time.0),
        container_id: terminated.container_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pods::decide::Action;

    #[test]
    fn after_an_attempt_of_an_earlier_kubelet_the_next_one_has_a_number_of_its_own() {
        let over = json!({"terminated": {"exitCode": 1}});
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let (name, none) = ("c", json!({}));
        for (case, now, last, expected) in [
            ("ended", &over, &none, 4),
            ("waits after an end", &waiting, &over, 4),
            ("never began", &waiting, &none, 3),
        ] {
            for list in ["initContainerStatuses", "containerStatuses"] {
                let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "p"},
                    "spec": {"containers": [{"name": name}]},
                    "status": {list: [{"name": name, "image": "i", "imageID": "", "ready": false,
                        "restartCount": 3, "state": now, "lastState": last}]}}))
                .unwrap();
                let mut state = State::restore(&pod, Timestamp::UNIX_EPOCH);
                assert_eq!(state.containers[name].restarts, 3, "{case}, {list}");
                assert_eq!(state.containers[name].next_attempt(), expected, "{case}, {list}");
                state.begin(&Action::Start(name.to_owned()));
                assert_eq!(state.containers[name].restarts, expected, "{case}, {list}");
                assert_eq!(state.containers[name].next_attempt(), expected, "{case}, {list}");
            }
        }
    }
}
