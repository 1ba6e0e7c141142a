//! What the taints of a node do to a pod. Pure.

use std::time::Duration;

use k8s_openapi::api::core::v1::Taint;

use crate::facts::Toleration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    /// As before, although it was to go.
    Spared,
    /// It goes after this time.
    Waits(Duration),
    Goes,
}

/// `taints` are those that drive pods away; `borne` says how long the pod has been on its way out.
pub(super) fn decide(
    taints: &[Taint],
    tolerations: &[Toleration],
    borne: Option<Duration>,
) -> Fate {
    let mut longest: Option<Duration> = None;
    for taint in taints {
        let takes: Vec<_> = tolerations.iter().filter(|one| one.takes(taint)).collect();
        if takes.is_empty() {
            return Fate::Goes;
        }
        let limits = takes.iter().filter_map(|one| one.seconds);
        let limit = limits.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        longest = longest.into_iter().chain(limit).min();
    }
    match (longest, borne) {
        (None, None) => Fate::Stays,
        (None, Some(_)) => Fate::Spared,
        (Some(longest), borne) => match longest.checked_sub(borne.unwrap_or_default()) {
            Some(rest) if !rest.is_zero() => Fate::Waits(rest),
            _ => Fate::Goes,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fate(taints: &Value, tolerations: &Value, borne: Option<u64>) -> Fate {
        let taints: Vec<Taint> = serde_json::from_value(taints.clone()).expect("taints");
        let given: Vec<k8s_openapi::api::core::v1::Toleration> =
            serde_json::from_value(tolerations.clone()).expect("tolerations");
        let tolerations: Vec<_> = given.iter().map(Toleration::from).collect();
        decide(&taints, &tolerations, borne.map(Duration::from_secs))
    }

    #[test]
    fn a_pod_goes_when_it_has_borne_its_node_long_enough() {
        let away = json!({"key": "away", "effect": "NoExecute"});
        let gpu = json!({"key": "gpu", "value": "yes", "effect": "NoExecute"});
        let ever = json!({"key": "away", "operator": "Exists"});
        let bears = |seconds: i64| json!({"key": "away", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds});
        let waits = |seconds| Fate::Waits(Duration::from_secs(seconds));
        for (taints, tolerations, borne, expected) in [
            (json!([away]), json!([]), None, Fate::Goes),
            (json!([away]), json!([ever]), None, Fate::Stays),
            (json!([away]), json!([bears(300)]), None, waits(300)),
            (json!([away]), json!([bears(300)]), Some(299), waits(1)),
            (json!([away]), json!([bears(300)]), Some(300), Fate::Goes),
            (json!([away]), json!([bears(0)]), None, Fate::Goes),
            (json!([away]), json!([bears(-1)]), None, Fate::Goes),
            (json!([away]), json!([ever, bears(60)]), None, waits(60)),
            (json!([away]), json!([ever]), Some(10), Fate::Spared),
            (json!([]), json!([]), Some(10), Fate::Spared),
            (json!([away, gpu]), json!([bears(300)]), None, Fate::Goes),
            (
                json!([away, gpu]),
                json!([bears(300), {"key": "gpu", "value": "yes", "tolerationSeconds": 20}]),
                None,
                waits(20),
            ),
            (json!([gpu]), json!([{"key": "gpu", "value": "no"}]), None, Fate::Goes),
        ] {
            assert_eq!(
                fate(&taints, &tolerations, borne),
                expected,
                "{taints} {tolerations} {borne:?}"
            );
        }
    }
}
