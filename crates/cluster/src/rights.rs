//! What Flumen, and what Flink's pods, do in a namespace: the one list that `cluster check` asks for and `cluster rbac` gives.
//!
//! Flumen's is what `crates/k8s` calls. Flink's was found by running it with exactly this: without `patch` of `ConfigMaps` a
//! job of 1.20 or 2.3 is suspended every 15 seconds and restored again, and nothing else looks wrong.

use std::fmt;

use serde::Serialize;

/// Who needs a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The account that Flumen runs under.
    Flumen,
    /// The service account of the JobManager and the TaskManagers.
    Flink,
}

/// What goes wrong without a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Jobs cannot be run.
    Run,
    /// A check cannot say what it could.
    Check,
}

/// Some verbs on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// Who needs it.
    pub who: Who,
    /// What for.
    pub need: Need,
    /// The API group; empty for the core.
    pub group: &'static str,
    /// The resource, for example `pods`.
    pub resource: &'static str,
    /// The subresource, for example `log`; may be empty.
    pub subresource: &'static str,
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// Whether it is needed only with the network of the host (`kubernetes.hostnetwork.enabled`).
    pub host_network: bool,
}

const fn right(
    who: Who,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    verbs: &'static [&'static str],
) -> Right {
    Right { who, need: Need::Run, group, resource, subresource, verbs, host_network: false }
}

const fn to_check(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
) -> Right {
    Right { need: Need::Check, ..right(Who::Flumen, group, resource, "", verbs) }
}

/// All of it.
const RIGHTS: [Right; 17] = [
    // Jobs: `create.rs`, `delete.rs`, `leftovers.rs`, `watch.rs`.
    right(Who::Flumen, "apps", "deployments", "", &["get", "list", "watch", "create", "delete"]),
    // Builds and explanations have pods of their own: `pods.rs`.
    right(Who::Flumen, "", "pods", "", &["get", "list", "watch", "create", "delete"]),
    right(Who::Flumen, "", "pods", "log", &["get"]),
    right(Who::Flumen, "", "pods", "proxy", &["get"]),
    // A Service that an earlier Deployment of the same name left is removed: `create.rs`.
    right(Who::Flumen, "", "services", "", &["get", "list", "create", "delete"]),
    // Flink's REST API, by GET, POST and PATCH: `proxy.rs`.
    right(Who::Flumen, "", "services", "proxy", &["get", "create", "patch"]),
    right(Who::Flumen, "", "configmaps", "", &["get", "list", "watch", "create", "delete"]),
    // Keys of the storage, links of a run: `apply.rs`, `native.rs`.
    right(Who::Flumen, "", "secrets", "", &["get", "create", "patch", "delete"]),
    right(Who::Flumen, "", "events", "", &["list"]),
    right(Who::Flumen, "", "namespaces", "", &["get"]),
    to_check("", "resourcequotas", &["list"]),
    to_check("authorization.k8s.io", "localsubjectaccessreviews", &["create"]),
    // Whether an account names a Secret to pull images with: `native.rs`.
    to_check("", "serviceaccounts", &["get"]),
    // Flink's resource manager.
    right(Who::Flink, "", "pods", "", &["get", "list", "watch", "create", "delete"]),
    // High availability: older versions update them, newer ones patch them.
    right(
        Who::Flink,
        "",
        "configmaps",
        "",
        &["get", "list", "watch", "create", "update", "patch", "delete"],
    ),
    // The Deployment owns the pods, and Flink deletes it when its job has ended.
    right(Who::Flink, "apps", "deployments", "", &["get", "delete"]),
    // With the network of the host the JobManager writes its port there.
    Right { host_network: true, ..right(Who::Flink, "", "services", "", &["get", "update"]) },
];

/// What one of them does in a namespace that jobs run in, some of them perhaps with the network of the host.
pub fn rights(who: Who, host_network: bool) -> impl Iterator<Item = &'static Right> {
    RIGHTS.iter().filter(move |right| right.who == who && (host_network || !right.host_network))
}

/// One thing that one may be allowed to do in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Permission {
    /// What for.
    #[serde(skip)]
    pub need: Need,
    /// The API group; empty for the core.
    pub group: &'static str,
    /// The resource, for example `pods`.
    pub resource: &'static str,
    /// The subresource, for example `log`; may be empty.
    pub subresource: &'static str,
    /// The verb, for example `watch`.
    pub verb: &'static str,
}

/// What one of them does, verb by verb.
pub fn permissions(who: Who, host_network: bool) -> impl Iterator<Item = Permission> {
    rights(who, host_network).flat_map(|right| {
        right.verbs.iter().map(|verb| Permission {
            need: right.need,
            group: right.group,
            resource: right.resource,
            subresource: right.subresource,
            verb,
        })
    })
}

/// As a Role names it: `watch pods`, `create services/proxy`, `get deployments.apps`.
impl fmt::Display for Permission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(out, ".{}", self.group)?;
        }
        if !self.subresource.is_empty() {
            write!(out, "/{}", self.subresource)?;
        }
        Ok(())
    }
}

/// Names permissions in few words, those of one resource together: `create, delete pods; get pods/log`.
pub fn list(permissions: &[Permission]) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for permission in permissions {
        let resource = Permission { verb: "", ..permission.clone() }.to_string();
        let resource = resource.trim_start().to_owned();
        match groups.iter_mut().find(|(known, _)| *known == resource) {
            Some((_, verbs)) => verbs.push(permission.verb),
            None => groups.push((resource, vec![permission.verb])),
        }
    }
    let texts = groups.iter().map(|(resource, verbs)| format!("{} {resource}", verbs.join(", ")));
    texts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_named_as_people_write_them() {
        let all: Vec<_> = permissions(Who::Flink, true).collect();
        let text = list(&all);
        assert_eq!(
            text,
            "get, list, watch, create, delete pods; get, list, watch, create, update, patch, delete configmaps; get, delete deployments.apps; get, update services"
        );
    }

    #[test]
    fn no_right_stands_in_the_list_twice() {
        for who in [Who::Flumen, Who::Flink] {
            let mut all: Vec<_> = permissions(who, true).map(|one| one.to_string()).collect();
            let count = all.len();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), count);
        }
    }
}
