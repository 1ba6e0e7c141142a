//! What is to be said of a node, and which taints it gets. Pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{NodeCondition, Taint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::clock;
use crate::facts::{NO_EXECUTE, NO_SCHEDULE, Node, Ready};

/// How long a node may be silent; kube-controller-manager 1.34 waits as long.
const GRACE: Duration = Duration::from_secs(50);
/// The same for one whose kubelet has said nothing yet.
const FIRST_GRACE: Duration = Duration::from_mins(1);

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// What a kubelet reports.
const CONDITIONS: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/// Whether pods are driven from nodes that are not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evictions {
    Go,
    /// So many nodes fail that it is rather something else that fails: no more, but those that have begun go on.
    Hold,
    /// No node is ready: there is no place to go to.
    Stop,
}

impl Evictions {
    /// By how many nodes are ready and how many are not, in a small cluster.
    pub(super) fn of(ready: usize, others: usize) -> Self {
        if ready == 0 && others > 0 {
            Self::Stop
        } else if others > 2 && others * 100 >= (ready + others) * 55 {
            Self::Hold
        } else {
            Self::Go
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// It is to be said that nothing is known of it.
    pub(super) lost: bool,
    /// It is said to be unknown and was heard nevertheless: its kubelet is about to say more.
    pub(super) heard_again: bool,
    /// All taints that it is to have, if they are others than it has.
    pub(super) taints: Option<Vec<Taint>>,
    /// When to look again if nothing is heard.
    pub(super) again: Option<Duration>,
}

/// `silent` is the time since the last sign of life.
pub(super) fn decide(
    node: &Node,
    silent: Duration,
    evictions: Evictions,
    now: Timestamp,
) -> Verdict {
    let grace = if node.ready == Ready::Never { FIRST_GRACE } else { GRACE };
    let rest = grace.checked_sub(silent).filter(|rest| !rest.is_zero());
    let is_unknown = node.ready == Ready::Unknown;
    Verdict {
        lost: rest.is_none() && !is_unknown,
        heard_again: rest.is_some() && is_unknown,
        taints: taints(node, evictions, now),
        again: rest,
    }
}

fn taints(node: &Node, evictions: Evictions, now: Timestamp) -> Option<Vec<Taint>> {
    let ailment = match node.ready {
        Ready::Yes | Ready::Never => None,
        Ready::No => Some(NOT_READY),
        Ready::Unknown => Some(UNREACHABLE),
    };
    let has = |key: &str, effect: &str| {
        node.taints.iter().any(|taint| taint.key == key && taint.effect == effect)
    };
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    wanted.extend(ailment.map(|key| (key, NO_SCHEDULE)));
    wanted.extend(node.unschedulable.then_some((UNSCHEDULABLE, NO_SCHEDULE)));
    let was_driving = has(NOT_READY, NO_EXECUTE) || has(UNREACHABLE, NO_EXECUTE);
    let drives = match evictions {
        Evictions::Go => true,
        Evictions::Hold => was_driving,
        Evictions::Stop => false,
    };
    wanted.extend(ailment.filter(|_| drives).map(|key| (key, NO_EXECUTE)));
    let stays = |taint: &&Taint| {
        let one = (taint.key.as_str(), taint.effect.as_str());
        !is_ours(one) || wanted.contains(&one)
    };
    let mut all: Vec<Taint> = node.taints.iter().filter(stays).cloned().collect();
    let missing = wanted.iter().filter(|(key, effect)| !has(key, effect));
    all.extend(missing.map(|(key, effect)| Taint {
        key: (*key).to_owned(),
        effect: (*effect).to_owned(),
        time_added: Some(clock::stamp(now)),
        value: None,
    }));
    (all != node.taints).then_some(all)
}

fn is_ours((key, effect): (&str, &str)) -> bool {
    match key {
        NOT_READY | UNREACHABLE => effect == NO_SCHEDULE || effect == NO_EXECUTE,
        UNSCHEDULABLE => effect == NO_SCHEDULE,
        _ => false,
    }
}

/// The conditions of a node that is not heard.
pub(super) fn unknown(
    conditions: Vec<NodeCondition>,
    created: Option<&Time>,
    now: &Time,
) -> Vec<NodeCondition> {
    let never = |kind: &str| NodeCondition {
        type_: kind.to_owned(),
        status: "Unknown".to_owned(),
        reason: Some("NodeStatusNeverUpdated".to_owned()),
        message: Some("Kubelet never posted node status.".to_owned()),
        last_heartbeat_time: created.cloned(),
        last_transition_time: Some(now.clone()),
    };
    let missing: Vec<NodeCondition> = CONDITIONS
        .iter()
        .filter(|kind| !conditions.iter().any(|known| known.type_ == **kind))
        .map(|kind| never(kind))
        .collect();
    let known = conditions.into_iter().map(|condition| {
        if !CONDITIONS.contains(&condition.type_.as_str()) || condition.status == "Unknown" {
            return condition;
        }
        NodeCondition {
            status: "Unknown".to_owned(),
            reason: Some("NodeStatusUnknown".to_owned()),
            message: Some("Kubelet stopped posting node status.".to_owned()),
            last_transition_time: Some(now.clone()),
            ..condition
        }
    });
    known.chain(missing).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn node(ready: Ready, taints: &Value, unschedulable: bool) -> Node {
        let taints = serde_json::from_value(taints.clone()).expect("taints");
        Node { taints, unschedulable, ready, ..Node::default() }
    }

    fn verdict(node: &Node, silent: u64, evictions: Evictions) -> Verdict {
        let now = "2026-01-01T00:00:00Z".parse().expect("time");
        decide(node, Duration::from_secs(silent), evictions, now)
    }

    #[test]
    fn a_node_is_lost_when_it_was_silent_for_too_long() {
        let none = json!([]);
        for (ready, silent, lost, again) in [
            (Ready::Yes, 0, false, Some(50)),
            (Ready::Yes, 49, false, Some(1)),
            (Ready::Yes, 50, true, None),
            (Ready::No, 50, true, None),
            (Ready::Never, 50, false, Some(10)),
            (Ready::Never, 60, true, None),
            (Ready::Unknown, 500, false, None),
        ] {
            let verdict = verdict(&node(ready, &none, false), silent, Evictions::Go);
            let expected = (lost, again.map(Duration::from_secs));
            assert_eq!((verdict.lost, verdict.again), expected, "{ready:?} {silent}");
        }
    }

    #[test]
    fn taints_say_what_the_node_is_and_leave_those_of_others() {
        let taint = |key: &str, effect: &str| json!({"key": key, "effect": effect});
        let gpu = taint("gpu", "NoExecute");
        let cordon = taint(UNSCHEDULABLE, "NoSchedule");
        let unreachable = [taint(UNREACHABLE, "NoSchedule"), taint(UNREACHABLE, "NoExecute")];
        let not_ready = [taint(NOT_READY, "NoSchedule"), taint(NOT_READY, "NoExecute")];
        let [asleep, away] = unreachable.clone();
        for (ready, unschedulable, has, evictions, wanted) in [
            (Ready::Yes, false, json!([gpu]), Evictions::Go, None),
            (Ready::Yes, true, json!([gpu]), Evictions::Go, Some(json!([gpu, cordon]))),
            (Ready::Yes, false, json!([cordon, gpu]), Evictions::Go, Some(json!([gpu]))),
            (Ready::Never, false, json!([]), Evictions::Go, None),
            (Ready::Unknown, false, json!([]), Evictions::Go, Some(json!(unreachable))),
            (Ready::No, false, json!(unreachable), Evictions::Go, Some(json!(not_ready))),
            (Ready::Yes, false, json!(unreachable), Evictions::Go, Some(json!([]))),
            (Ready::Unknown, false, json!([]), Evictions::Stop, Some(json!([asleep]))),
            (Ready::Unknown, false, json!([asleep, away]), Evictions::Stop, Some(json!([asleep]))),
            (Ready::Unknown, false, json!([asleep, away]), Evictions::Hold, None),
            (Ready::Unknown, false, json!([]), Evictions::Hold, Some(json!([asleep]))),
        ] {
            let given = node(ready, &has, unschedulable);
            let taints = verdict(&given, 0, evictions).taints.map(|taints| {
                let mut taints = json!(taints);
                for taint in taints.as_array_mut().expect("list") {
                    taint.as_object_mut().expect("object").remove("timeAdded");
                }
                taints
            });
            assert_eq!(taints, wanted, "{ready:?} {unschedulable} {has} {evictions:?}");
        }
    }

    #[test]
    fn where_too_much_fails_at_once_nobody_is_driven_away() {
        for (ready, others, expected) in [
            (1, 0, Evictions::Go),
            (0, 1, Evictions::Stop),
            (1, 2, Evictions::Go),
            (2, 3, Evictions::Hold),
            (3, 3, Evictions::Go),
        ] {
            assert_eq!(Evictions::of(ready, others), expected, "{ready} {others}");
        }
    }

    #[test]
    fn what_a_silent_kubelet_said_last_is_unknown_now_and_what_others_say_stays() {
        let given = json!([
            {"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-01T00:00:00Z"},
            {"type": "MemoryPressure", "status": "Unknown", "reason": "Old"},
            {"type": "Warm", "status": "True"},
        ]);
        let now = Time("2026-01-01T00:01:00Z".parse().expect("time"));
        let said = unknown(serde_json::from_value(given).expect("conditions"), None, &now);
        let said: Vec<_> = said
            .iter()
            .map(|one| {
                (one.type_.as_str(), one.status.as_str(), one.reason.as_deref().unwrap_or(""))
            })
            .collect();
        assert_eq!(
            said,
            [
                ("Ready", "Unknown", "NodeStatusUnknown"),
                ("MemoryPressure", "Unknown", "Old"),
                ("Warm", "True", ""),
                ("DiskPressure", "Unknown", "NodeStatusNeverUpdated"),
                ("PIDPressure", "Unknown", "NodeStatusNeverUpdated"),
            ]
        );
    }
}
