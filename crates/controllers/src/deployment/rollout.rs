//! Which replica sets a Deployment should have, and how large.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::DeploymentStatus;

use super::status;
use super::sync::{Sync, sync};
use crate::facts::{Deployment, ReplicaSet, Strategy, Uid};

/// One replica set of the Deployment.
#[derive(Debug, Clone)]
pub(crate) struct Set<'a> {
    pub(crate) uid: Uid,
    pub(crate) name: &'a str,
    pub(crate) deleting: bool,
    pub(crate) facts: &'a ReplicaSet,
    /// Pods that still exist, also those that end.
    pub(crate) pods: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Makes the replica set of the current template.
    Create {
        replicas: i32,
        revision: i64,
    },
    Scale {
        uid: Uid,
        name: String,
        from: i32,
        to: i32,
    },
    /// Brings what the replica set of the current template says to what the Deployment says.
    Sync {
        uid: Uid,
        name: String,
        change: Sync,
    },
    Remove {
        uid: Uid,
        name: String,
    },
    /// Writes the number of the current revision to the Deployment.
    Revision(i64),
    Status(Box<DeploymentStatus>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) actions: Vec<Action>,
    /// Seconds after which the rollout may have to be called stuck.
    pub(crate) wake_in: Option<i64>,
}

/// What to do about a Deployment now. `name` is the Deployment's.
pub(crate) fn decide(
    name: &str,
    deployment: &Deployment,
    deleting: bool,
    sets: &[Set<'_>],
    now: Timestamp,
) -> Decision {
    let mut living: Vec<&Set<'_>> = sets.iter().filter(|set| !set.deleting).collect();
    living.sort_by_key(|set| (set.facts.created, set.name));
    // One that was adopted has a name of its own.
    let is_current = |set: &ReplicaSet| {
        set.hash.as_deref() == Some(&deployment.hash) || set.template == deployment.template
    };
    let current = living.iter().copied().find(|set| is_current(set.facts));
    let old: Vec<&Set<'_>> = living
        .iter()
        .copied()
        .filter(|set| current.is_none_or(|current| current.uid != set.uid))
        .collect();
    let mut actions = Vec::new();
    if !deleting {
        if deployment.paused {
            if current.is_some() {
                number(deployment, current, &old, &mut actions);
            }
            scale_paused(deployment, current, &old, &mut actions);
        } else {
            number(deployment, current, &old, &mut actions);
            match deployment.strategy {
                Strategy::Recreate => recreate(deployment, current, &old, sets, &mut actions),
                Strategy::Rolling { surge, unavailable } => {
                    roll(deployment, current, &old, Limits { surge, unavailable }, &mut actions);
                }
            }
        }
    }
    let created = actions.iter().any(|action| matches!(action, Action::Create { .. }));
    let (status, wake_in) =
        status::of(&status::View { name, deployment, current, sets: &living, created, now });
    if !deleting && !deployment.paused && status::is_complete(deployment, &status) {
        actions.extend(forgotten(deployment, &old));
    }
    if status != deployment.status {
        actions.push(Action::Status(Box::new(status)));
    }
    Decision { actions, wake_in }
}

#[derive(Clone, Copy)]
struct Limits {
    surge: i32,
    unavailable: i32,
}

/// What the replica set of the current template takes over, and the revisions that both should carry.
fn number(
    deployment: &Deployment,
    current: Option<&Set<'_>>,
    old: &[&Set<'_>],
    actions: &mut Vec<Action>,
) {
    let next = next_revision(old);
    if let Some(current) = current
        && let Some(change) = sync(deployment, current.facts, next)
    {
        let (uid, name) = (Uid::clone(&current.uid), current.name.to_owned());
        actions.push(Action::Sync { uid, name, change });
    }
    let wanted = current.map_or(next, |current| current.facts.revision.max(next));
    if deployment.revision != wanted {
        actions.push(Action::Revision(wanted));
    }
}

fn next_revision(old: &[&Set<'_>]) -> i64 {
    old.iter().map(|set| set.facts.revision).max().unwrap_or(0) + 1
}

fn scale(set: &Set<'_>, to: i32, actions: &mut Vec<Action>) {
    if set.facts.replicas != to {
        actions.push(Action::Scale {
            uid: Uid::clone(&set.uid),
            name: set.name.to_owned(),
            from: set.facts.replicas,
            to,
        });
    }
}

/// A paused Deployment still follows its number of replicas, if there is no doubt whose they are.
fn scale_paused(
    deployment: &Deployment,
    current: Option<&Set<'_>>,
    old: &[&Set<'_>],
    actions: &mut Vec<Action>,
) {
    let mut with_pods =
        current.into_iter().chain(old.iter().copied()).filter(|set| set.facts.replicas > 0);
    match (with_pods.next(), with_pods.next()) {
        (Some(only), None) => scale(only, deployment.replicas, actions),
        (None, _) => {
            if let Some(newest) = current.or(old.last().copied()) {
                scale(newest, deployment.replicas, actions);
            }
        }
        _ => {}
    }
}

fn recreate(
    deployment: &Deployment,
    current: Option<&Set<'_>>,
    old: &[&Set<'_>],
    all: &[Set<'_>],
    actions: &mut Vec<Action>,
) {
    for set in old {
        scale(set, 0, actions);
    }
    let old_pods = all
        .iter()
        .filter(|set| current.is_none_or(|current| current.uid != set.uid))
        .any(|set| set.pods > 0);
    if old_pods {
        return;
    }
    match current {
        Some(current) => scale(current, deployment.replicas, actions),
        None => actions
            .push(Action::Create { replicas: deployment.replicas, revision: next_revision(old) }),
    }
}

fn roll(
    deployment: &Deployment,
    current: Option<&Set<'_>>,
    old: &[&Set<'_>],
    limits: Limits,
    actions: &mut Vec<Action>,
) {
    let wanted = deployment.replicas;
    let old_total: i32 = old.iter().map(|set| set.facts.replicas).sum();
    let room = |new: i32| (wanted.saturating_add(limits.surge) - old_total - new).max(0);
    let Some(current) = current else {
        let replicas = if old_total == 0 { wanted } else { room(0).min(wanted) };
        actions.push(Action::Create { replicas, revision: next_revision(old) });
        return;
    };
    let new = current.facts.replicas;
    if new > wanted {
        return scale(current, wanted, actions);
    }
    let grown = new + room(new).min(wanted - new);
    if grown != new {
        return scale(current, grown, actions);
    }
    shrink(deployment, current, old, limits.unavailable, actions);
}

/// Takes pods from old replica sets: first those that do not work, then as many as the others make up for.
fn shrink(
    deployment: &Deployment,
    current: &Set<'_>,
    old: &[&Set<'_>],
    unavailable: i32,
    actions: &mut Vec<Action>,
) {
    let total: i32 = current.facts.replicas + old.iter().map(|set| set.facts.replicas).sum::<i32>();
    let least = deployment.replicas - unavailable;
    let missing = current.facts.replicas - current.facts.status.available_replicas.unwrap_or(0);
    let mut removable = (total - least - missing).max(0);
    let mut sizes: Vec<i32> = old.iter().map(|set| set.facts.replicas).collect();
    let mut working: Vec<i32> = old
        .iter()
        .map(|set| set.facts.status.available_replicas.unwrap_or(0).min(set.facts.replicas))
        .collect();
    for (size, working) in sizes.iter_mut().zip(&working) {
        let broken = (*size - working).clamp(0, removable);
        *size -= broken;
        removable -= broken;
    }
    let available =
        current.facts.status.available_replicas.unwrap_or(0) + working.iter().sum::<i32>();
    let mut spare = (available - least).max(0);
    for (size, working) in sizes.iter_mut().zip(&mut working) {
        let taken = (*size).min(spare).min(removable);
        *size -= taken;
        *working -= taken;
        spare -= taken;
        removable -= taken;
    }
    for (set, size) in old.iter().zip(sizes) {
        scale(set, size, actions);
    }
}

/// Old replica sets without pods, beyond the history that is kept.
fn forgotten(deployment: &Deployment, old: &[&Set<'_>]) -> Vec<Action> {
    let mut empty: Vec<&&Set<'_>> = old
        .iter()
        .filter(|set| set.facts.replicas == 0 && set.pods == 0 && set.facts.status.replicas == 0)
        .collect();
    empty.sort_by_key(|set| set.facts.revision);
    let surplus = empty.len().saturating_sub(deployment.history_limit);
    empty
        .into_iter()
        .take(surplus)
        .map(|set| Action::Remove { uid: Uid::clone(&set.uid), name: set.name.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests;
