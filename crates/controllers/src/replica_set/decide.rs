//! How many pods to make, which ones to delete, and the status of a replica set.

use std::cmp::Reverse;
use std::collections::HashMap;

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

/// How many active pods of the set, and of those with the same owner, each node has.
pub(crate) type Neighbours = HashMap<String, usize>;

/// Makes the number of pods right. `neighbours` is asked only where some pods go and others stay.
pub(crate) fn decide(
    set: &ReplicaSet,
    members: &[Member<'_>],
    neighbours: impl FnOnce() -> Neighbours,
    now: Timestamp,
) -> Vec<Action> {
    let wanted = usize::try_from(set.replicas).unwrap_or(0);
    if members.len() < wanted {
        return vec![Action::Create(wanted - members.len())];
    }
    let surplus = members.len() - wanted;
    if surplus == 0 {
        return Vec::new();
    }
    let mut ranked: Vec<&Member<'_>> = members.iter().collect();
    if wanted > 0 {
        let neighbours = neighbours();
        ranked.sort_by_cached_key(|member| worth(member, &neighbours, now));
    }
    let surplus = ranked.into_iter().take(surplus);
    surplus
        .map(|member| Action::Delete { uid: Uid::clone(&member.uid), name: member.name.to_owned() })
        .collect()
}

/// What is deleted first sorts first: without a node, not running, not ready, cheaper, with more neighbours, shorter ready, more
/// restarts, younger. Times of the same order of magnitude count as equal, and then chance decides, which uids are. The real
/// controller leaves it to chance for such times of readiness before it looks at the restarts; that is no order of all pods.
fn worth(member: &Member<'_>, neighbours: &Neighbours, now: Timestamp) -> impl Ord + use<> {
    let pod = member.pod;
    let phase = match pod.phase {
        Phase::Running => 2,
        Phase::Unknown => 1,
        Phase::Pending | Phase::Succeeded | Phase::Failed => 0,
    };
    let near = pod.node.as_ref().and_then(|node| neighbours.get(node)).copied().unwrap_or(0);
    (
        pod.node.is_some(),
        phase,
        pod.ready_since.is_some(),
        pod.deletion_cost,
        Reverse(near),
        pod.ready_since.map(|since| magnitude(since, now)),
        Reverse(pod.restarts),
        magnitude(pod.created, now),
        Uid::clone(&member.uid),
    )
}

/// The logarithm of an age; `None` is less than any: nobody said when it began.
fn magnitude(since: Timestamp, now: Timestamp) -> Option<i64> {
    if since == Timestamp::UNIX_EPOCH {
        return None;
    }
    let age = now.duration_since(since).as_nanos();
    Some(u128::try_from(age).ok().and_then(u128::checked_ilog2).map_or(-1, i64::from))
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
        let unasked = || panic!("nothing goes");
        assert_eq!(decide(&set(3), &[], unasked, now()), [Action::Create(3)]);
        assert_eq!(decide(&set(0), &[], unasked, now()), []);
        let pods = [("a", pod(Some("n"), "Running", Some(EARLY), EARLY))];
        assert_eq!(decide(&set(1), &members(&pods), unasked, now()), []);
        assert_eq!(decide(&set(0), &members(&pods), unasked, now()).len(), 1, "all go");
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
        let order = deleted(&pods, &[]);
        assert_eq!(order, ["waiting", "starting", "unready", "ready-new", "ready-long"]);
    }

    fn now() -> Timestamp {
        "2026-01-01T00:01:10Z".parse().expect("time")
    }

    /// All but the last, in the order in which they go; the one that stays is the last.
    fn deleted(pods: &[(&'static str, Pod)], neighbours: &[(&str, usize)]) -> Vec<String> {
        let all = members(pods);
        let near = || neighbours.iter().map(|(node, number)| ((*node).to_owned(), *number));
        let actions = decide(&set(1), &all, || near().collect(), now());
        let gone = actions.into_iter().map(|action| match action {
            Action::Delete { name, .. } => name,
            Action::Create(_) => panic!("there are enough"),
        });
        let mut gone: Vec<String> = gone.collect();
        let stays = all.iter().map(|member| member.name.to_owned());
        gone.extend(stays.filter(|name| !gone.contains(name)).collect::<Vec<_>>());
        gone
    }

    #[test]
    fn the_cost_comes_before_the_neighbours_and_these_before_the_time() {
        let on = |node: &str, since: &str| pod(Some(node), "Running", Some(since), EARLY);
        let cheap = Pod { deletion_cost: -1, ..on("empty", EARLY) };
        let dear = Pod { deletion_cost: 1, ..on("full", LATE) };
        let pods = [
            ("dear", dear),
            ("long-alone", on("empty", EARLY)),
            ("late-alone", on("empty", LATE)),
            ("long-among-others", on("full", EARLY)),
            ("cheap", cheap),
        ];
        let order = deleted(&pods, &[("empty", 3), ("full", 9)]);
        assert_eq!(order, ["cheap", "long-among-others", "late-alone", "long-alone", "dear"]);
    }

    #[test]
    fn of_pods_of_about_the_same_age_the_restarts_decide_and_then_chance() {
        let since = |time: &str| pod(Some("n"), "Running", Some(time), time);
        let restarted = Pod { restarts: (2, 0), ..since("2026-01-01T00:00:00Z") };
        let pods = [
            ("b", since("2026-01-01T00:00:01Z")),
            ("a", since("2026-01-01T00:00:00Z")),
            ("restarted", restarted),
            ("young", since("2026-01-01T00:01:00Z")),
        ];
        assert_eq!(deleted(&pods, &[]), ["young", "restarted", "a", "b"]);
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
