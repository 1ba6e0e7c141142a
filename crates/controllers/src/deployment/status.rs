//! The status of a Deployment: counts and the conditions Available, Progressing and `ReplicaFailure`.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DeploymentCondition, DeploymentStatus};

use super::rollout::Set;
use crate::clock;
use crate::facts::{Deployment, Strategy};

/// What the status is made of.
pub(super) struct View<'a> {
    pub(super) name: &'a str,
    pub(super) deployment: &'a Deployment,
    pub(super) current: Option<&'a Set<'a>>,
    /// The replica sets that are not being deleted, the current one among them.
    pub(super) sets: &'a [&'a Set<'a>],
    /// The replica set of the current template is being created in this round.
    pub(super) created: bool,
    pub(super) now: Timestamp,
}

/// The status, and after how many seconds it may change without any event.
pub(super) fn of(view: &View<'_>) -> (DeploymentStatus, Option<i64>) {
    let deployment = view.deployment;
    let sum = |part: fn(&Set<'_>) -> i32| view.sets.iter().map(|set| part(set)).sum::<i32>();
    let available = sum(|set| set.facts.status.available_replicas.unwrap_or(0));
    let mut status = DeploymentStatus {
        observed_generation: Some(deployment.generation),
        replicas: positive(sum(|set| set.facts.status.replicas)),
        updated_replicas: view.current.and_then(|set| positive(set.facts.status.replicas)),
        ready_replicas: positive(sum(|set| set.facts.status.ready_replicas.unwrap_or(0))),
        available_replicas: positive(available),
        unavailable_replicas: positive((sum(|set| set.facts.replicas) - available).max(0)),
        ..deployment.status.clone()
    };
    let mut conditions = status.conditions.take().unwrap_or_default();
    pause(deployment, &mut conditions, view.now);
    set_condition(&mut conditions, available_condition(deployment, available), view.now);
    let wake_in = progress(view, &status, &mut conditions);
    replica_failure(view, &mut conditions);
    status.conditions = Some(conditions);
    (status, wake_in)
}

/// Everything is as it was asked for.
pub(super) fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let is = |count: Option<i32>| count.unwrap_or(0) == deployment.replicas;
    is(status.updated_replicas) && is(status.replicas) && is(status.available_replicas)
}

/// Counts of nothing are left out, as the real controller does.
fn positive(count: i32) -> Option<i32> {
    Some(count).filter(|count| *count != 0)
}

struct Draft {
    type_: &'static str,
    status: &'static str,
    reason: String,
    message: String,
}

fn available_condition(deployment: &Deployment, available: i32) -> Draft {
    let unavailable = match deployment.strategy {
        Strategy::Recreate => 0,
        Strategy::Rolling { unavailable, .. } => unavailable,
    };
    let (status, reason, message) = if available >= deployment.replicas - unavailable {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    Draft { type_: "Available", status, reason: reason.to_owned(), message: message.to_owned() }
}

/// Tells that the rollout rests, or that it goes on. That it was stuck is not hidden by its rest.
fn pause(deployment: &Deployment, conditions: &mut Vec<DeploymentCondition>, now: Timestamp) {
    const PAUSED: &str = "DeploymentPaused";
    let known = conditions.iter().find(|condition| condition.type_ == "Progressing");
    let reason = known.and_then(|condition| condition.reason.as_deref());
    let stuck = reason == Some("ProgressDeadlineExceeded");
    if deployment.progress_deadline.is_none() || stuck {
        return;
    }
    let (reason, message) = match (deployment.paused, reason == Some(PAUSED)) {
        (true, false) => (PAUSED, "Deployment is paused"),
        (false, true) => ("DeploymentResumed", "Deployment is resumed"),
        _ => return,
    };
    let (reason, message) = (reason.to_owned(), message.to_owned());
    touch(conditions, Draft { type_: "Progressing", status: "Unknown", reason, message }, now);
}

/// The condition Progressing. Answers after how many seconds the deadline passes.
fn progress(
    view: &View<'_>,
    status: &DeploymentStatus,
    conditions: &mut Vec<DeploymentCondition>,
) -> Option<i64> {
    let deadline = view.deployment.progress_deadline.filter(|_| !view.deployment.paused)?;
    let known = conditions.iter().find(|condition| condition.type_ == "Progressing").cloned();
    let new_name = format!("{}-{}", view.name, view.deployment.hash);
    let subject = match view.current {
        Some(set) => format!("ReplicaSet \"{}\"", set.name),
        None if view.created => format!("ReplicaSet \"{new_name}\""),
        None => format!("Deployment \"{}\"", view.name),
    };
    let draft = |status: &'static str, reason: &str, message: String| Draft {
        type_: "Progressing",
        status,
        reason: reason.to_owned(),
        message,
    };
    let reason = known.as_ref().and_then(|condition| condition.reason.as_deref());
    let complete = is_complete(view.deployment, status);
    if complete && reason == Some("NewReplicaSetAvailable") && !view.created {
        return None;
    }
    if view.created && !complete {
        let message = format!("Created new replica set \"{new_name}\"");
        touch(conditions, draft("True", "NewReplicaSetCreated", message), view.now);
        return Some(deadline);
    }
    if complete {
        let message = format!("{subject} has successfully progressed.");
        touch(conditions, draft("True", "NewReplicaSetAvailable", message), view.now);
        return None;
    }
    if has_progressed(&view.deployment.status, status) || known.is_none() {
        touch(
            conditions,
            draft("True", "ReplicaSetUpdated", format!("{subject} is progressing.")),
            view.now,
        );
        return Some(deadline);
    }
    if reason == Some("ProgressDeadlineExceeded") || reason == Some("NewReplicaSetAvailable") {
        return None;
    }
    let since =
        known.and_then(|condition| condition.last_update_time).map_or(view.now, |time| time.0);
    let left = since.as_second() + deadline - view.now.as_second();
    if left > 0 {
        return Some(left);
    }
    set_condition(
        conditions,
        draft("False", "ProgressDeadlineExceeded", format!("{subject} has timed out progressing.")),
        view.now,
    );
    None
}

fn has_progressed(before: &DeploymentStatus, after: &DeploymentStatus) -> bool {
    let count = |count: Option<i32>| count.unwrap_or(0);
    let old = |status: &DeploymentStatus| count(status.replicas) - count(status.updated_replicas);
    count(after.updated_replicas) > count(before.updated_replicas)
        || old(after) < old(before)
        || count(after.ready_replicas) > count(before.ready_replicas)
        || count(after.available_replicas) > count(before.available_replicas)
}

/// Shows the failure of a replica set to create its pods, the current one's first.
fn replica_failure(view: &View<'_>, conditions: &mut Vec<DeploymentCondition>) {
    let failure = view.current.into_iter().chain(view.sets.iter().copied()).find_map(|set| {
        set.facts
            .status
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")
    });
    match failure {
        Some(failure) => {
            let reason = failure.reason.clone().unwrap_or_default();
            let message = failure.message.clone().unwrap_or_default();
            set_condition(
                conditions,
                Draft { type_: "ReplicaFailure", status: "True", reason, message },
                view.now,
            );
        }
        None => conditions.retain(|condition| condition.type_ != "ReplicaFailure"),
    }
}

/// Sets a condition if it says something new.
fn set_condition(conditions: &mut Vec<DeploymentCondition>, draft: Draft, now: Timestamp) {
    let known = conditions.iter().find(|condition| condition.type_ == draft.type_);
    let same = known.is_some_and(|known| {
        known.status == draft.status
            && known.reason.as_ref() == Some(&draft.reason)
            && known.message.as_ref() == Some(&draft.message)
    });
    if !same {
        touch(conditions, draft, now);
    }
}

/// Sets a condition with a new time of update; the time of transition moves only with the status.
fn touch(conditions: &mut Vec<DeploymentCondition>, draft: Draft, now: Timestamp) {
    let second = clock::stamp(now);
    let known = conditions.iter().position(|condition| condition.type_ == draft.type_);
    let transition =
        known.map(|place| &conditions[place]).filter(|known| known.status == draft.status);
    let condition = DeploymentCondition {
        type_: draft.type_.to_owned(),
        status: draft.status.to_owned(),
        reason: Some(draft.reason),
        message: Some(draft.message),
        last_update_time: Some(second.clone()),
        last_transition_time: transition
            .and_then(|known| known.last_transition_time.clone())
            .or(Some(second)),
    };
    match known {
        Some(place) => conditions[place] = condition,
        None => conditions.push(condition),
    }
}
