//! Cluster roles that gather the rules of others by their labels. It has a world of its own, because nothing else in the cluster
//! depends on this kind.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::api::{Api, Patch, PatchParams};
use kube::core::{Selector, SelectorExt as _};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, ResourceExt as _};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::error::Verb;

/// Pause after a change that failed.
const AGAIN: Duration = Duration::from_millis(200);
const MANAGER: &str = "clusterrole-aggregation-controller";

type Roles = BTreeMap<String, ClusterRole>;

/// Looks after roles that gather others until `stop`.
pub(crate) async fn run(client: Client, stop: CancellationToken) {
    let api = Api::<ClusterRole>::all(client);
    let mut events = watcher(api.clone(), watcher::Config::default()).default_backoff().boxed();
    let (mut roles, mut complete, mut again) = (Roles::new(), false, false);
    loop {
        let pause = async {
            if again { tokio::time::sleep(AGAIN).await } else { std::future::pending().await }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            event = events.next() => match event {
                Some(event) => take(event, &mut roles, &mut complete),
                None => return,
            },
            () = pause => {}
        }
        if !complete {
            continue;
        }
        again = false;
        for (name, rules) in gathered(&roles) {
            if let Err(error) = write(&api, &name, &rules).await {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "a cluster role has to wait");
                again = true;
            }
        }
    }
}

fn take(event: Result<Event<ClusterRole>, watcher::Error>, roles: &mut Roles, complete: &mut bool) {
    match event {
        Ok(Event::Init) => {
            roles.clear();
            *complete = false;
        }
        Ok(Event::InitApply(role) | Event::Apply(role)) => {
            roles.insert(role.name_any(), role);
        }
        Ok(Event::InitDone) => *complete = true,
        Ok(Event::Delete(role)) => {
            roles.remove(&role.name_any());
        }
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "watch interrupted");
        }
    }
}

/// The roles whose rules are not those that they gather, with what these are.
fn gathered(roles: &Roles) -> Vec<(String, Vec<PolicyRule>)> {
    let mut changes = Vec::new();
    for (name, role) in roles {
        let Some(aggregation) = &role.aggregation_rule else { continue };
        let selectors = aggregation.cluster_role_selectors.iter().flatten();
        let mut found: Vec<PolicyRule> = Vec::new();
        // One that makes no sense selects nothing.
        for selector in selectors.filter_map(|one| Selector::try_from(one.clone()).ok()) {
            let others = roles.iter().filter(|(other, _)| *other != name);
            let selected = others.filter(|(_, other)| selector.matches(other.labels()));
            for own in selected.flat_map(|(_, other)| other.rules.iter().flatten()) {
                if !found.contains(own) {
                    found.push(own.clone());
                }
            }
        }
        if found != role.rules.clone().unwrap_or_default() {
            changes.push((name.clone(), found));
        }
    }
    changes
}

async fn write(api: &Api<ClusterRole>, name: &str, rules: &[PolicyRule]) -> Result<(), Error> {
    let applied = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": name}, "rules": rules,
    });
    let parameters = PatchParams::apply(MANAGER).force();
    match api.patch(name, &parameters, &Patch::Apply(applied)).await {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::request(Verb::Change, format!("ClusterRole {name}"), source)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Roles, gathered};

    fn roles(all: Value) -> Roles {
        let all: Vec<k8s_openapi::api::rbac::v1::ClusterRole> =
            serde_json::from_value(all).expect("roles");
        all.into_iter().map(|role| (role.metadata.name.clone().unwrap_or_default(), role)).collect()
    }

    #[test]
    fn a_role_gathers_what_its_selectors_find() {
        let pods = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]});
        let maps = json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]});
        let gathers = |label: &str| json!({"clusterRoleSelectors": [{"matchLabels": {label: "true"}}, {"matchExpressions": [{"key": "b", "operator": "Exists"}]}]});
        let mut all = roles(json!([
            {"metadata": {"name": "all"}, "aggregationRule": gathers("a"), "rules": [maps]},
            {"metadata": {"name": "one", "labels": {"a": "true"}}, "rules": [pods]},
            {"metadata": {"name": "same", "labels": {"b": ""}}, "rules": [pods, maps]},
            {"metadata": {"name": "other"}, "rules": [{"verbs": ["*"]}]},
        ]));
        let changes = gathered(&all);
        assert_eq!(changes.len(), 1);
        assert_eq!(json!(changes[0].1), json!([pods, maps]));
        all.get_mut("all").expect("role").rules = Some(changes[0].1.clone());
        assert!(gathered(&all).is_empty(), "nothing is left to do");
    }
}
