//! Nobody gives what they do not have: roles and bindings are made and changed only within the rights of who does it,
//! unless the verbs `escalate` and `bind` say otherwise.

use serde_json::{Value, json};

use super::{
    User, authorization,
    rbac::{Policy, RoleRef, Rule, describe, is_master, quoted, uncovered},
};
use crate::{
    api::Api,
    failure::Failure,
    request::{Attributes, Call, Resource, Wanted},
    resources::RBAC_GROUP,
};

const AGGREGATING: &str = "must have cluster-admin privileges to use the aggregationRule";

/// Refuses a role or a binding that gives more than its author has. `old` is the state before, if there is one.
///
/// # Errors
/// If it gives more, or a role that is bound cannot be looked at.
pub(crate) fn check(
    api: &Api,
    call: &Call,
    new: &Value,
    old: Option<&Value>,
) -> Result<(), Failure> {
    let resource = call.target.resource;
    if resource.group != RBAC_GROUP || is_master(&call.user) {
        return Ok(());
    }
    if old.is_some_and(|old| only_owners_change(new, old)) {
        return Ok(());
    }
    let refuse = |why: String| {
        let name = new.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        Err(Failure::forbidden(resource, name, &why))
    };
    match resource.plural {
        "roles" | "clusterroles" => {
            if authorization::allows(api, &call.user, &call.attributes.with_verb("escalate")) {
                return Ok(());
            }
            let given = Rule::of_role(new);
            if let Some(why) = excess(api, call, &given) {
                return refuse(why);
            }
            let gathers = |role: &Value| {
                let selectors = role.pointer("/aggregationRule/clusterRoleSelectors");
                selectors.and_then(Value::as_array).is_some_and(|list| !list.is_empty())
            };
            let gathers = gathers(new) || old.is_some_and(gathers);
            if gathers && excess(api, call, &everything()).is_some() {
                return refuse(AGGREGATING.to_owned());
            }
            Ok(())
        }
        _ => {
            let role = RoleRef::of(new);
            if authorization::allows(api, &call.user, &binding(call, &role)) {
                return Ok(());
            }
            excess(api, call, &rules_of(api, call, &role)?).map_or(Ok(()), refuse)
        }
    }
}

/// Whether nothing changes but what the collection of garbage changes.
fn only_owners_change(new: &Value, old: &Value) -> bool {
    let without = |object: &Value| {
        let mut object = object.clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in ["ownerReferences", "finalizers", "managedFields"] {
                metadata.shift_remove(field);
            }
        }
        object
    };
    without(new) == without(old)
}

/// What the author of a call lacks of some rules, in the words of the refusal.
fn excess(api: &Api, call: &Call, given: &[Rule]) -> Option<String> {
    let (missing, problems) = api.roles.look(&api.store, |policy| {
        let (owned, problems) = policy.rules(&call.user, call.namespace());
        (uncovered(&owned, given), problems)
    });
    if missing.is_empty() {
        return None;
    }
    let User { name, groups, .. } = &call.user;
    let mut why = format!(
        "user {name:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        quoted(groups),
        describe(&missing)
    );
    if !problems.is_empty() {
        why = format!("{why}; resolution errors: [{}]", problems.join(", "));
    }
    Some(why)
}

fn everything() -> Vec<Rule> {
    Rule::of_role(&json!({"rules": [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["*"], "nonResourceURLs": ["*"]},
    ]}))
}

/// The wish to bind a role where the binding of a call is.
fn binding(call: &Call, role: &RoleRef) -> Attributes {
    let plural = if role.kind == "ClusterRole" { "clusterroles" } else { "roles" };
    Attributes {
        verb: "bind".to_owned(),
        wanted: Wanted::Resource(Resource {
            group: RBAC_GROUP.to_owned(),
            plural: plural.to_owned(),
            namespace: call.namespace().to_owned(),
            name: role.name.clone(),
            ..Resource::default()
        }),
    }
}

/// What the role that is bound allows.
fn rules_of(api: &Api, call: &Call, role: &RoleRef) -> Result<Vec<Rule>, Failure> {
    if !matches!(role.kind.as_str(), "Role" | "ClusterRole") {
        let why = format!("unsupported role reference kind: {:?}", role.kind);
        return Err(Failure::unknown(why));
    }
    let find = |policy: &Policy| policy.rules_of(role, call.namespace()).map(<[Rule]>::to_vec);
    // The real server, too, names the kind of the binding here and not that of the role.
    let missing = || Failure::not_found(call.target.resource, &role.name);
    api.roles.look(&api.store, find).ok_or_else(missing)
}
