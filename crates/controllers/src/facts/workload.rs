//! Deployments and replica sets. Their pod templates are not kept: who needs one reads the object again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use kube::core::Selector;

use super::{DESIRED, MOST, REVISION, REVISION_HISTORY, TEMPLATE_HASH, fnv64};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Where old clients asked for an earlier revision.
const ROLLBACK: &str = "deprecated.deployment.rollback.to";

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deployment {
    pub(crate) replicas: i32,
    /// Which replica sets it may have, or why that cannot be read. The labels that must be there are kept apart, to find the sets by.
    pub(crate) selector: Result<Selector, String>,
    pub(crate) match_labels: BTreeMap<String, String>,
    /// Those that its replica sets inherit.
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) min_ready_seconds: i64,
    pub(crate) paused: bool,
    pub(crate) strategy: Strategy,
    /// Names the template; differs for different templates.
    pub(crate) hash: String,
    /// The same without regard to names that were taken.
    pub(crate) template: String,
    /// How many replica sets without pods are kept.
    pub(crate) history_limit: usize,
    /// Seconds without progress after which the rollout counts as stuck.
    pub(crate) progress_deadline: Option<i64>,
    pub(crate) generation: i64,
    pub(crate) revision: i64,
    pub(crate) status: apps::DeploymentStatus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// All old pods go before a new one comes.
    Recreate,
    Rolling {
        /// How many pods more than wanted there may be.
        surge: i32,
        /// How many of the wanted pods may be missing.
        unavailable: i32,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReplicaSet {
    pub(crate) replicas: i32,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    /// The hash of the Deployment's template that it was made for.
    pub(crate) hash: Option<String>,
    /// The hash of its own template, as a Deployment would have it.
    pub(crate) template: String,
    pub(crate) revision: i64,
    pub(crate) min_ready_seconds: i64,
    pub(crate) generation: i64,
    pub(crate) created: Timestamp,
    /// Which pods it may have, or why that cannot be read. The labels that must be there are kept apart, to find the pods by.
    pub(crate) selector: Result<Selector, String>,
    pub(crate) match_labels: BTreeMap<String, String>,
    pub(crate) status: apps::ReplicaSetStatus,
}

impl From<&apps::Deployment> for Deployment {
    fn from(deployment: &apps::Deployment) -> Self {
        let selector = read(deployment.spec.as_ref().map(|spec| &spec.selector));
        let annotations = deployment.metadata.annotations.iter().flatten();
        let inherited = annotations.filter(|(name, _)| is_inherited(name));
        let spec = deployment.spec.clone().unwrap_or_default();
        let status = deployment.status.clone().unwrap_or_default();
        let replicas = spec.replicas.unwrap_or(1);
        Self {
            replicas,
            selector,
            match_labels: spec.selector.match_labels.unwrap_or_default(),
            annotations: inherited.map(|(name, value)| (name.clone(), value.clone())).collect(),
            min_ready_seconds: i64::from(spec.min_ready_seconds.unwrap_or(0)),
            paused: spec.paused.unwrap_or(false),
            strategy: strategy(spec.strategy.as_ref(), replicas),
            hash: template_hash(&spec.template, status.collision_count),
            template: template_hash(&spec.template, None),
            history_limit: usize::try_from(spec.revision_history_limit.unwrap_or(10)).unwrap_or(0),
            progress_deadline: Some(spec.progress_deadline_seconds.unwrap_or(600))
                .filter(|seconds| *seconds != i32::MAX)
                .map(i64::from),
            generation: deployment.metadata.generation.unwrap_or(0),
            revision: revision(&deployment.metadata),
            status,
        }
    }
}

impl From<&apps::ReplicaSet> for ReplicaSet {
    fn from(set: &apps::ReplicaSet) -> Self {
        let labels = set.metadata.labels.as_ref();
        let spec = set.spec.as_ref();
        let selector = spec.map(|spec| &spec.selector);
        Self {
            replicas: spec.and_then(|spec| spec.replicas).unwrap_or(1),
            labels: labels.cloned().unwrap_or_default(),
            annotations: set
                .metadata
                .annotations
                .iter()
                .flatten()
                .filter(|(name, _)| *name != LAST_APPLIED)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            hash: labels.and_then(|labels| labels.get(TEMPLATE_HASH)).cloned(),
            template: own_template(spec.and_then(|spec| spec.template.as_ref())),
            revision: revision(&set.metadata),
            min_ready_seconds: i64::from(spec.and_then(|spec| spec.min_ready_seconds).unwrap_or(0)),
            generation: set.metadata.generation.unwrap_or(0),
            created: set
                .metadata
                .creation_timestamp
                .as_ref()
                .map(|time| time.0)
                .unwrap_or_default(),
            selector: read(selector),
            match_labels: selector
                .and_then(|selector| selector.match_labels.clone())
                .unwrap_or_default(),
            status: set.status.clone().unwrap_or_default(),
        }
    }
}

fn read(selector: Option<&LabelSelector>) -> Result<Selector, String> {
    let selector = selector.ok_or("there is none")?;
    Selector::try_from(selector.clone()).map_err(|error| error.to_string())
}

/// Whether the replica sets of a Deployment take over an annotation of that name.
pub(crate) fn is_inherited(name: &str) -> bool {
    ![LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED, MOST, ROLLBACK].contains(&name)
}

/// The hash of a replica set's template without what tells it apart from others.
fn own_template(template: Option<&PodTemplateSpec>) -> String {
    let mut template = template.cloned().unwrap_or_default();
    let labels = template.metadata.as_mut().and_then(|metadata| metadata.labels.as_mut());
    if let Some(labels) = labels {
        labels.remove(TEMPLATE_HASH);
    }
    template_hash(&template, None)
}

fn revision(metadata: &ObjectMeta) -> i64 {
    metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(REVISION)?.parse().ok())
        .unwrap_or(0)
}

fn strategy(strategy: Option<&apps::DeploymentStrategy>, replicas: i32) -> Strategy {
    if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("Recreate") {
        return Strategy::Recreate;
    }
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    let surge =
        share(rolling.and_then(|rolling| rolling.max_surge.as_ref()), replicas, Rounding::Up);
    let unavailable = share(
        rolling.and_then(|rolling| rolling.max_unavailable.as_ref()),
        replicas,
        Rounding::Down,
    );
    // With neither, nothing could ever move.
    let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
    Strategy::Rolling { surge, unavailable: unavailable.min(replicas) }
}

#[derive(Clone, Copy)]
enum Rounding {
    Up,
    Down,
}

/// A number, or a percentage of the replicas; 25% if nothing is said.
fn share(value: Option<&IntOrString>, replicas: i32, rounding: Rounding) -> i32 {
    let percent = match value {
        Some(IntOrString::Int(number)) => return (*number).max(0),
        Some(IntOrString::String(text)) => {
            text.strip_suffix('%').and_then(|text| text.parse::<i64>().ok()).unwrap_or(0)
        }
        None => 25,
    };
    let hundredths = i64::from(replicas) * percent.max(0);
    let pods = match rounding {
        Rounding::Up => hundredths.div_euclid(100) + i64::from(hundredths % 100 > 0),
        Rounding::Down => hundredths / 100,
    };
    i32::try_from(pods).unwrap_or(i32::MAX)
}

/// Ten characters that name a pod template, in the alphabet that Kubernetes uses because it spells no words.
pub(crate) fn template_hash(template: &PodTemplateSpec, collisions: Option<i32>) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    // A pod template has no map keys other than strings, so it always can be written.
    let mut bytes = serde_json::to_vec(template).unwrap_or_default();
    if let Some(collisions) = collisions {
        bytes.extend(collisions.to_le_bytes());
    }
    let mut rest = fnv64(&bytes);
    let base = ALPHABET.len() as u64;
    (0..10)
        .map(|_| {
            let digit = usize::try_from(rest % base).unwrap_or(0);
            rest /= base;
            char::from(ALPHABET[digit])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(spec: &serde_json::Value) -> Deployment {
        let whole: apps::Deployment =
            serde_json::from_value(json!({"metadata": {"name": "d"}, "spec": spec}))
                .expect("deployment");
        Deployment::from(&whole)
    }

    #[test]
    fn surge_rounds_up_and_unavailable_rounds_down() {
        for (replicas, strategy, expected) in [
            (1, json!({}), Strategy::Rolling { surge: 1, unavailable: 0 }),
            (10, json!({}), Strategy::Rolling { surge: 3, unavailable: 2 }),
            (
                4,
                json!({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
                Strategy::Rolling { surge: 0, unavailable: 1 },
            ),
            (
                4,
                json!({"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": "50%"}}),
                Strategy::Rolling { surge: 0, unavailable: 2 },
            ),
            (4, json!({"type": "Recreate"}), Strategy::Recreate),
        ] {
            let facts = deployment(
                &json!({"replicas": replicas, "strategy": strategy, "selector": {}, "template": {}}),
            );
            assert_eq!(facts.strategy, expected, "{replicas} {strategy}");
        }
    }

    #[test]
    fn the_hash_follows_the_template_and_nothing_else() {
        let with = |replicas: i32, image: &str| {
            deployment(&json!({"replicas": replicas, "selector": {}, "template": {"spec": {"containers": [{"name": "a", "image": image}]}}})).hash
        };
        assert_eq!(with(1, "a:1"), with(2, "a:1"));
        assert_ne!(with(1, "a:1"), with(1, "a:2"));
        // A stored label: if this changes, every Deployment of every data directory restarts its pods.
        assert_eq!(with(1, "a:1"), "4m7w5cc2qp");
        let template = PodTemplateSpec::default();
        assert_ne!(template_hash(&template, None), template_hash(&template, Some(1)));
    }
}
