//! What the current replica set takes over from its Deployment beside its size: annotations, its revision, and how long pods must
//! have been ready.

use std::collections::BTreeMap;

use crate::facts::{Deployment, REVISION, REVISION_HISTORY, ReplicaSet};

/// Longer than that the list of earlier revisions does not get.
const LONGEST_HISTORY: usize = 2000;

/// A change of a replica set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sync {
    /// Those that it lacks or has with another value.
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) min_ready_seconds: i64,
}

/// `None` if the set says what it should. `revision` is the one that is due: a set that has a higher one keeps it.
pub(super) fn sync(deployment: &Deployment, set: &ReplicaSet, revision: i64) -> Option<Sync> {
    let annotations = annotations(deployment, set, revision);
    let min_ready_seconds = deployment.min_ready_seconds;
    let is_due = !annotations.is_empty() || set.min_ready_seconds != min_ready_seconds;
    is_due.then_some(Sync { annotations, min_ready_seconds })
}

fn annotations(
    deployment: &Deployment,
    set: &ReplicaSet,
    revision: i64,
) -> BTreeMap<String, String> {
    let known = |name: &str| set.annotations.get(name);
    let taken = deployment.annotations.iter().filter(|(name, value)| known(name) != Some(value));
    let mut changed: BTreeMap<String, String> =
        taken.map(|(name, value)| (name.clone(), value.clone())).collect();
    // As the real controller: with a revision that is none, nothing is taken over.
    let is_strange = |old: &String| !old.is_empty() && old.parse::<i64>().is_err();
    if known(REVISION).is_some_and(is_strange) {
        return BTreeMap::new();
    }
    if set.revision < revision {
        changed.insert(REVISION.to_owned(), revision.to_string());
        let history = known(REVISION_HISTORY).map_or("", String::as_str);
        let history = known(REVISION).and_then(|old| history_with(history, old));
        changed.extend(history.map(|history| (REVISION_HISTORY.to_owned(), history)));
    }
    changed
}

/// The earlier revisions with one more; the oldest go when there are too many.
fn history_with(history: &str, revision: &str) -> Option<String> {
    let mut revisions: Vec<&str> = history.split(',').filter(|known| !known.is_empty()).collect();
    revisions.push(revision);
    let length = |revisions: &[&str]| revisions.iter().map(|known| known.len() + 1).sum::<usize>();
    let first =
        (0..revisions.len()).find(|first| length(&revisions[*first..]) <= LONGEST_HISTORY + 1);
    first.map(|first| revisions[first..].join(","))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1 as apps;
    use serde_json::{Value, json};

    use super::*;

    fn deployment(annotations: &Value) -> Deployment {
        let whole: apps::Deployment = serde_json::from_value(json!({
            "metadata": {"annotations": annotations},
            "spec": {"minReadySeconds": 5, "selector": {}, "template": {}},
        }))
        .expect("deployment");
        (&whole).into()
    }

    fn set(annotations: &Value, min_ready_seconds: i32) -> ReplicaSet {
        let whole: apps::ReplicaSet = serde_json::from_value(json!({
            "metadata": {"annotations": annotations},
            "spec": {"minReadySeconds": min_ready_seconds, "selector": {}},
        }))
        .expect("replica set");
        (&whole).into()
    }

    fn changed(deployment: &Deployment, set: &ReplicaSet, revision: i64) -> Option<Value> {
        let sync = sync(deployment, set, revision)?;
        Some(json!([sync.annotations, sync.min_ready_seconds]))
    }

    #[test]
    fn a_set_takes_over_the_annotations_and_the_probation_but_not_what_is_its_own() {
        let deployment = deployment(&json!({
            "team": "a", "kubernetes.io/change-cause": "new", "deployment.kubernetes.io/revision": "9",
            "kubectl.kubernetes.io/last-applied-configuration": "{}", "deployment.kubernetes.io/own": "x",
        }));
        let old = json!({"team": "a", "kubernetes.io/change-cause": "old", "deployment.kubernetes.io/revision": "2", "gone": "x"});
        let taken =
            json!({"kubernetes.io/change-cause": "new", "deployment.kubernetes.io/own": "x"});
        assert_eq!(changed(&deployment, &set(&old, 5), 2), Some(json!([taken, 5])));
        let now = json!({"team": "a", "kubernetes.io/change-cause": "new", "deployment.kubernetes.io/revision": "2", "deployment.kubernetes.io/own": "x"});
        assert_eq!(changed(&deployment, &set(&now, 5), 2), None);
        assert_eq!(changed(&deployment, &set(&now, 0), 2), Some(json!([{}, 5])));
    }

    #[test]
    fn a_revision_only_grows_and_the_earlier_ones_are_kept() {
        let deployment = deployment(&json!({}));
        let numbered = |revision: &str, history: &str| {
            set(
                &json!({"deployment.kubernetes.io/revision": revision, "deployment.kubernetes.io/revision-history": history}),
                5,
            )
        };
        let expected = |revision: &str, history: &str| {
            Some(
                json!([{"deployment.kubernetes.io/revision": revision, "deployment.kubernetes.io/revision-history": history}, 5]),
            )
        };
        assert_eq!(changed(&deployment, &numbered("2", ""), 4), expected("4", "2"));
        assert_eq!(changed(&deployment, &numbered("4", "2"), 6), expected("6", "2,4"));
        assert_eq!(changed(&deployment, &numbered("4", "2"), 3), None);
        let first = json!([{"deployment.kubernetes.io/revision": "1"}, 5]);
        assert_eq!(changed(&deployment, &set(&json!({}), 5), 1), Some(first));
        let long = ["123456789"; 200].join(",");
        assert_eq!(long.len(), 1999);
        let kept = format!("{},77", ["123456789"; 199].join(","));
        assert_eq!(changed(&deployment, &numbered("77", &long), 78), expected("78", &kept));
    }
}
