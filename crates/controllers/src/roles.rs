//! Cluster roles that gather the rules of others by their labels. It has a world of its own, because nothing else in the cluster
//! depends on this kind.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
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
use crate::queue::Queue;

const MANAGER: &str = "clusterrole-aggregation-controller";

type Roles = BTreeMap<String, ClusterRole>;

/// What the watch has brought.
#[derive(Debug, Default)]
struct Known {
    roles: Roles,
    /// Until the listing is complete nothing is decided: what is missing would seem to be gone.
    complete: bool,
}

impl Known {
    fn take(&mut self, event: Event<ClusterRole>) {
        match event {
            Event::Init => *self = Self::default(),
            Event::InitApply(role) | Event::Apply(role) => {
                self.roles.insert(role.name_any(), role);
            }
            Event::InitDone => self.complete = true,
            Event::Delete(role) => {
                self.roles.remove(&role.name_any());
            }
        }
    }

    fn changes(&self) -> Vec<(String, Vec<PolicyRule>)> {
        if self.complete { gathered(&self.roles) } else { Vec::new() }
    }
}

/// Looks after roles that gather others until `stop`.
pub(crate) async fn run(client: Client, stop: CancellationToken) {
    let api = Api::<ClusterRole>::all(client);
    let (known, queue) = (Mutex::new(Known::default()), Queue::new());
    tokio::select! {
        () = follow(&api, &known, &queue) => {}
        () = queue.run("roles", stop, |name| look(&api, &known, name)) => {}
    }
}

async fn follow(api: &Api<ClusterRole>, known: &Mutex<Known>, queue: &Queue<String>) {
    let mut events = watcher(api.clone(), watcher::Config::default()).default_backoff().boxed();
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "watch interrupted");
                continue;
            }
        };
        let changes = {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.take(event);
            known.changes()
        };
        for (name, _) in changes {
            queue.push(name);
        }
    }
}

async fn look(
    api: &Api<ClusterRole>,
    known: &Mutex<Known>,
    name: String,
) -> Result<Option<Duration>, Error> {
    let changes = known.lock().unwrap_or_else(PoisonError::into_inner).changes();
    if let Some((_, rules)) = changes.iter().find(|(changed, _)| *changed == name) {
        write(api, &name, rules).await?;
    }
    Ok(None)
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
    use std::time::Duration;

    use serde_json::{Value, json};
    use tokio_util::sync::CancellationToken;

    use super::{Roles, gathered, run};
    use crate::wire::Wire;

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

    #[tokio::test(start_paused = true)]
    async fn a_write_that_is_refused_is_repeated_later_and_later() {
        let wire = Wire::default();
        let all = json!({"metadata": {"resourceVersion": "1"}, "items": [
            {"metadata": {"name": "all"}, "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "true"}}]}},
            {"metadata": {"name": "one", "labels": {"a": "true"}}, "rules": [{"verbs": ["get"]}]},
        ]});
        let refused = json!({"kind": "Status", "code": 403, "reason": "Forbidden"});
        let client = wire.client(move |asked| {
            let is_list = asked.starts_with("GET");
            Some(if is_list { (200, all.clone()) } else { (403, refused.clone()) })
        });
        let stop = CancellationToken::new();
        let soon = tokio::time::sleep(Duration::from_mins(1));
        tokio::select! {
            () = run(client, stop) => {}
            () = soon => {}
        }
        let path = "PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/all";
        let writes = wire.asked().iter().filter(|asked| *asked == path).count();
        assert!((5..20).contains(&writes), "{writes} in a minute");
    }
}
