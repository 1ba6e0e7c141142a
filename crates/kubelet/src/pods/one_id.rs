//! What a pod cannot have on a node of an ordinary user, to whose machine all users of its pods are one. Pure.
//!
//! A container sees that one as the user and the group that it asks for, or that its image names. Nothing tells two users of
//! a pod apart, and there is no further group.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};

/// What the pod asks for beyond that, and what to do.
pub(super) fn refusal(pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let asked = two_users(spec).or_else(|| further_group(spec))?;
    Some(format!(
        "on this node a pod has one user and one group, because it is run by an ordinary user or has few user ids (/proc/self/uid_map): {asked}, or run the node as root of the machine"
    ))
}

fn two_users(spec: &PodSpec) -> Option<String> {
    let of_pod = spec.security_context.as_ref().and_then(|context| context.run_as_user);
    let user = |container: &Container| {
        let own = container.security_context.as_ref().and_then(|context| context.run_as_user);
        own.or(of_pod)
    };
    let mut asked =
        containers(spec).filter_map(|container| Some((&container.name, user(container)?)));
    let (first, one) = asked.next()?;
    let (second, other) = asked.find(|(_, other)| *other != one)?;
    Some(format!(
        "container {first} asks for runAsUser {one} and container {second} for {other}; use the same for all"
    ))
}

fn further_group(spec: &PodSpec) -> Option<String> {
    let context = spec.security_context.as_ref()?;
    let fs_group = context.fs_group.map(|group| ("fsGroup", group));
    let supplementary = context.supplemental_groups.iter().flatten();
    let mut further =
        fs_group.into_iter().chain(supplementary.map(|group| ("supplementalGroups", *group)));
    let own = |container: &Container| {
        let own = container.security_context.as_ref().and_then(|context| context.run_as_group);
        own.or(context.run_as_group)
    };
    further.find_map(|(field, group)| {
        let without = containers(spec).find(|container| own(container) != Some(group))?;
        Some(format!(
            "{field} asks for group {group}, which is not the runAsGroup of container {}; remove {field} or set runAsGroup to {group}",
            without.name
        ))
    })
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(context: &Value, containers: &[Value]) -> String {
        let containers: Vec<_> = (0..)
            .zip(containers)
            .map(|(number, context)| json!({"name": format!("c{number}"), "securityContext": context}))
            .collect();
        let pod = json!({"metadata": {"name": "p"}, "spec": {"securityContext": context, "containers": containers}});
        refusal(&serde_json::from_value(pod).unwrap()).unwrap_or_default()
    }

    #[test]
    fn one_user_and_one_group_may_be_any() {
        let builds = json!({"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000, "supplementalGroups": [1000]});
        for context in [json!(null), json!({"runAsUser": 1234}), builds] {
            assert_eq!(refused(&context, &[json!(null), json!(null)]), "");
        }
        assert_eq!(
            refused(&json!({"runAsUser": 1}), &[json!({"runAsUser": 2}), json!({"runAsUser": 2})]),
            ""
        );
        assert_eq!(refused(&json!(null), &[json!({"runAsUser": 2}), json!(null)]), "");
    }

    #[test]
    fn two_users_or_a_further_group_are_refused_with_what_to_do() {
        let users = refused(&json!({"runAsUser": 1}), &[json!(null), json!({"runAsUser": 2})]);
        assert!(
            users.contains("container c0 asks for runAsUser 1 and container c1 for 2"),
            "{users}"
        );
        let group = refused(&json!({"fsGroup": 7}), &[json!({"runAsGroup": 7}), json!(null)]);
        assert!(
            group.contains("fsGroup asks for group 7, which is not the runAsGroup of container c1"),
            "{group}"
        );
        let group =
            refused(&json!({"runAsGroup": 7, "supplementalGroups": [7, 8]}), &[json!(null)]);
        assert!(group.contains("supplementalGroups asks for group 8"), "{group}");
    }
}
