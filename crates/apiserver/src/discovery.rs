//! What the server offers, as clients ask for it before they ask for anything else.

use serde_json::{Value, json};

use crate::{
    request::REVIEWS,
    resources::{Habit, Registry, Resource},
};

pub(crate) mod openapi;

/// The version of Kubernetes whose API this server speaks.
pub(crate) const VERSION: &str = "v1.33.0+flumen";

const VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// `/version`.
pub(crate) fn version() -> Value {
    json!({
        "major": "1",
        "minor": "33",
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2025-04-23T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("linux/{}", if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" }),
    })
}

/// `/api`.
pub(crate) fn core_versions(host: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
    })
}

/// The groups beside the core group, each with its one version.
fn group_names(registry: &'static Registry) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = registry
        .all()
        .map(|resource| resource.group)
        .chain(REVIEWS.iter().map(|review| review.group))
        .filter(|group| !group.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// `/apis`.
pub(crate) fn groups(registry: &'static Registry) -> Value {
    let groups: Vec<Value> = group_names(registry).into_iter().map(group_entry).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`.
pub(crate) fn group(registry: &'static Registry, name: &str) -> Option<Value> {
    let name = group_names(registry).into_iter().find(|group| *group == name)?;
    let mut group = json!({"kind": "APIGroup", "apiVersion": "v1"});
    if let (Some(map), Value::Object(entry)) = (group.as_object_mut(), group_entry(name)) {
        map.extend(entry);
    }
    Some(group)
}

/// Whether a path is below one of the groups that are here, and so answered by them.
pub(crate) fn begins_as_a_group(registry: &'static Registry, path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    match (parts.next(), parts.next()) {
        (Some("api"), Some(_)) => true,
        (Some("apis"), Some(group)) => group_names(registry).contains(&group),
        _ => false,
    }
}

fn group_entry(name: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

/// `/api/v1`, `/apis/GROUP/VERSION`.
pub(crate) fn resources(registry: &'static Registry, group: &str, version: &str) -> Option<Value> {
    let mut resources = Vec::new();
    for resource in
        registry.all().filter(|resource| resource.group == group && resource.version == version)
    {
        resources.push(resource_entry(resource));
        resources.extend(subresource_entries(resource));
    }
    if version == "v1" {
        for review in REVIEWS.iter().filter(|review| review.group == group) {
            resources.push(json!({
                "name": review.plural, "singularName": review.kind.to_lowercase(),
                "namespaced": review.namespaced, "kind": review.kind, "verbs": ["create"],
            }));
        }
    }
    if resources.is_empty() {
        return None;
    }
    let group_version =
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Some(json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources
    }))
}

fn resource_entry(resource: &Resource) -> Value {
    let all = !resource.has(Habit::DeletedOneByOne);
    let verbs: Vec<&str> =
        VERBS.into_iter().filter(|verb| all || *verb != "deletecollection").collect();
    let mut entry = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": verbs,
    });
    if !resource.short_names.is_empty() {
        entry["shortNames"] = resource.short_names.into();
    }
    if resource.has(Habit::InAll) {
        entry["categories"] = json!(["all"]);
    }
    entry
}

fn subresource_entries(resource: &Resource) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut add = |name: &str, kind: &str, verbs: &[&str], of: Option<(&str, &str)>| {
        let mut entry = json!({
            "name": format!("{}/{name}", resource.plural),
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": kind,
            "verbs": verbs,
        });
        if let Some((group, version)) = of {
            entry["group"] = group.into();
            entry["version"] = version.into();
        }
        entries.push(entry);
    };
    if resource.status {
        add("status", resource.kind, &["get", "patch", "update"], None);
    }
    if resource.scale {
        add("scale", "Scale", &["get", "patch", "update"], Some(("autoscaling", "v1")));
    }
    let proxy = ["create", "delete", "get", "patch", "update"];
    match resource.plural {
        "pods" => {
            add("binding", "Binding", &["create"], None);
            add("eviction", "Eviction", &["create"], Some(("policy", "v1")));
            add("exec", "PodExecOptions", &["create", "get"], None);
            add("log", "Pod", &["get"], None);
            add("portforward", "PodPortForwardOptions", &["create", "get"], None);
            add("proxy", "PodProxyOptions", &proxy, None);
        }
        "services" => add("proxy", "ServiceProxyOptions", &proxy, None),
        "serviceaccounts" => {
            add("token", "TokenRequest", &["create"], Some(("authentication.k8s.io", "v1")));
        }
        "namespaces" => add("finalize", "Namespace", &["update"], None),
        _ => {}
    }
    entries
}
