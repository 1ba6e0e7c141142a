//! How many pods to make, which ones to delete, and the status of a replica set.

use std::cmp::Reverse;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ReplicaSetCondition, ReplicaSetStatus};

use crate::error::Verb;
use crate::facts::{Phase, Pod, ReplicaSet, Uid};
use crate::{Error, clock};

/// A pod of the replica set that is neither ended nor being deleted.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    pub(crate) uid: Uid,
    pub(crate) name: &'a str,
    pub(crate) pod: &'a Pod,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Create(usize),
    Delete { uid: Uid, name: String },
}

/// Makes the number of pods right.
pub(crate) fn decide(set: &ReplicaSet, members: &[Member<'_>]) -> Vec<Action> {
    let wanted = usize::try_from(set.replicas).unwrap_or(0);
    if members.len() < wanted {
        return vec![Action::Create(wanted - members.len())];
    }
    let mut ranked: Vec<&Member<'_>> = members.iter().collect();
    ranked.sort_by_key(|member| worth(member.pod, member.name));
    let surplus = ranked.into_iter().take(members.len() - wanted);
    surplus
        .map(|member| Action::Delete { uid: Uid::clone(&member.uid), name: member.name.to_owned() })
        .collect()
}

/// What is deleted first sorts first: without a node, not running, not ready, shorter ready, more restarts, younger.
fn worth<'a>(pod: &Pod, name: &'a str) -> impl Ord + use<'a> {
    let phase = match pod.phase {
        Phase::Running => 2,
        Phase::Unknown => 1,
        Phase::Pending | Phase::Succeeded | Phase::Failed => 0,
    };
    let ready_for = pod.ready_since.map(Reverse);
    (
        pod.node.is_some(),
        phase,
        pod.ready_since.is_some(),
        ready_for,
        Reverse(pod.restarts),
        Reverse(pod.created),
        name,
    )
}

/// Why pods could not be made or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Failure {
    /// `set` is the name of the replica set.
    pub(crate) fn new(error: &Error, set: &str) -> Self {
        let deleting = matches!(error, Error::Request { verb: Verb::Delete, .. });
        let message = error.server_message().map_or_else(|| error.to_string(), str::to_owned);
        Self {
            reason: if deleting { "FailedDelete" } else { "FailedCreate" },
            message: if deleting { message } else { without_suffix(&message, set) },
        }
    }
}

/// Takes out the random part of the pod's name, which would make every attempt a failure of its own.
fn without_suffix(message: &str, set: &str) -> String {
    let begin = format!("\"{set}-");
    let Some((head, tail)) = message.split_once(&begin) else { return message.to_owned() };
    let rest = tail.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric());
    if rest.starts_with('"') { format!("{head}{begin}{rest}") } else { message.to_owned() }
}

/// The status, and after how many seconds it changes without any event.
pub(crate) fn status(
    set: &ReplicaSet,
    members: &[Member<'_>],
    failure: Option<&Failure>,
    now: Timestamp,
) -> (ReplicaSetStatus, Option<i64>) {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let positive = |number: usize| Some(count(number)).filter(|number| *number > 0);
    let ready = || members.iter().filter_map(|member| member.pod.ready_since);
    let left = |since: Timestamp| since.as_second() + set.min_ready_seconds - now.as_second();
    let available = ready().filter(|since| set.min_ready_seconds == 0 || left(*since) <= 0).count();
    let status = ReplicaSetStatus {
        replicas: count(members.len()),
        fully_labeled_replicas: positive(members.len()),
        ready_replicas: positive(ready().count()),
        available_replicas: positive(available),
        observed_generation: Some(set.generation),
        conditions: conditions(set, failure, now),
        ..set.status.clone()
    };
    let wake_in = if set.min_ready_seconds == 0 {
        None
    } else {
        ready().map(left).filter(|left| *left > 0).min()
    };
    (status, wake_in)
}

fn conditions(
    set: &ReplicaSet,
    failure: Option<&Failure>,
    now: Timestamp,
) -> Option<Vec<ReplicaSetCondition>> {
    let mut conditions = set.status.conditions.clone().unwrap_or_default();
    let known = conditions.iter().position(|condition| condition.type_ == "ReplicaFailure");
    match (failure, known) {
        (None, Some(place)) => {
            conditions.remove(place);
        }
        (Some(failure), Some(place)) => {
            conditions[place].reason = Some(failure.reason.to_owned());
            conditions[place].message = Some(failure.message.clone());
        }
        (Some(failure), None) => conditions.push(ReplicaSetCondition {
            type_: "ReplicaFailure".to_owned(),
            status: "True".to_owned(),
            reason: Some(failure.reason.to_owned()),
            message: Some(failure.message.clone()),
            last_transition_time: Some(clock::stamp(now)),
        }),
        (None, None) => {}
    }
    Some(conditions).filter(|conditions| !conditions.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use k8s_openapi::api::core::v1 as core;
    use serde_json::{Value, json};

    fn set(replicas: i32) -> ReplicaSet {
        ReplicaSet {
            replicas,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            hash: None,
            template: String::new(),
            revision: 1,
            min_ready_seconds: 0,
            generation: 2,
            created: Timestamp::UNIX_EPOCH,
            selector: Ok(kube::core::Selector::default()),
            match_labels: BTreeMap::new(),
            status: ReplicaSetStatus::default(),
        }
    }

    fn pod(node: Option<&str>, phase: &str, ready: Option<&str>, created: &str) -> Pod {
        let conditions: Vec<Value> = ready
            .map(|since| json!({"type": "Ready", "status": "True", "lastTransitionTime": since}))
            .into_iter()
            .collect();
        let pod: core::Pod = serde_json::from_value(json!({
            "metadata": {"creationTimestamp": created}, "spec": {"nodeName": node, "containers": []}, "status": {"phase": phase, "conditions": conditions}
        }))
        .expect("pod");
        Pod::from(&pod)
    }

    fn members<'a>(pods: &'a [(&'static str, Pod)]) -> Vec<Member<'a>> {
        pods.iter().map(|(name, pod)| Member { uid: (*name).into(), name, pod }).collect()
    }

    const EARLY: &str = "2026-01-01T00:00:00Z";
    const LATE: &str = "2026-01-01T00:01:00Z";

    #[test]
    fn missing_pods_are_made_at_once() {
        assert_eq!(decide(&set(3), &[]), [Action::Create(3)]);
        assert_eq!(decide(&set(0), &[]), []);
    }

    #[test]
    fn of_too_many_pods_the_least_useful_go() {
        let pods = [
            ("ready-long", pod(Some("n"), "Running", Some(EARLY), EARLY)),
            ("ready-new", pod(Some("n"), "Running", Some(LATE), EARLY)),
            ("starting", pod(Some("n"), "Pending", None, EARLY)),
            ("waiting", pod(None, "Pending", None, EARLY)),
            ("unready", pod(Some("n"), "Running", None, EARLY)),
        ];
        let mut order = Vec::new();
        for wanted in (0..5).rev() {
            let Some(Action::Delete { name, .. }) = decide(&set(wanted), &members(&pods)).pop()
            else {
                panic!("nothing deleted")
            };
            order.push(name);
        }
        assert_eq!(order, ["waiting", "starting", "unready", "ready-new", "ready-long"]);
    }

    #[test]
    fn a_pod_is_available_only_after_its_time_of_probation() {
        let pods = [
            ("a", pod(Some("n"), "Running", Some(EARLY), EARLY)),
            ("b", pod(Some("n"), "Running", Some(LATE), EARLY)),
        ];
        let slow = ReplicaSet { min_ready_seconds: 60, ..set(2) };
        let now: Timestamp = "2026-01-01T00:01:20Z".parse().expect("time");
        let (status, wake_in) = status(&slow, &members(&pods), None, now);
        assert_eq!(
            (status.replicas, status.ready_replicas, status.available_replicas, wake_in),
            (2, Some(2), Some(1), Some(40))
        );
    }

    #[test]
    fn the_same_failure_of_another_pod_is_the_same_failure() {
        for (message, expected) in [
            (r#"pods "d-x-abc12" is forbidden: no"#, r#"pods "d-x-" is forbidden: no"#),
            (r#"pods "d-x-" is forbidden"#, r#"pods "d-x-" is forbidden"#),
            (r#"pods "d-x-a.b" is forbidden"#, r#"pods "d-x-a.b" is forbidden"#),
            ("quota", "quota"),
        ] {
            assert_eq!(without_suffix(message, "d-x"), expected);
        }
    }

    #[test]
    fn a_failure_is_shown_until_it_is_over() {
        let failure = Failure { reason: "FailedCreate", message: "quota".to_owned() };
        let mut set = set(1);
        let (failed, _) = status(&set, &[], Some(&failure), Timestamp::UNIX_EPOCH);
        assert_eq!(
            failed
                .conditions
                .iter()
                .flatten()
                .map(|condition| condition.message.clone())
                .collect::<Vec<_>>(),
            [Some("quota".to_owned())]
        );
        set.status = failed.clone();
        assert_eq!(
            status(&set, &[], Some(&failure), Timestamp::from_second(9).expect("time")).0,
            failed,
            "the same failure is no change"
        );
        assert_eq!(status(&set, &[], None, Timestamp::UNIX_EPOCH).0.conditions, None);
    }
}
