//! The roles and bindings that every cluster has, and what has to be done where they are there already.

use serde_json::{Map, Value, json};

use super::{Rule, uncovered};
use crate::resources::RBAC_GROUP;

mod tables;

/// Set to `false` on a role or a binding, it keeps the server from bringing it back to what it was.
const UPDATED: &str = "rbac.authorization.kubernetes.io/autoupdate";

/// The roles of the cluster, complete; those that gather others hold what they gather at first.
pub(crate) fn roles() -> Vec<Value> {
    tables::ROLES.iter().map(role).collect()
}

fn role(row: &tables::Role) -> Value {
    let mut labels = Map::new();
    labels.insert("kubernetes.io/bootstrapping".into(), "rbac-defaults".into());
    if !row.gathered_by.is_empty() {
        labels.insert(gathering_label(row.gathered_by), "true".into());
    }
    let mut role = json!({
        "metadata": {"name": row.name, "labels": labels, "annotations": {UPDATED: "true"}},
        "rules": rules(row),
    });
    if row.gathers {
        let selector = json!({"matchLabels": {gathering_label(row.name): "true"}});
        role["aggregationRule"] = json!({"clusterRoleSelectors": [selector]});
    }
    role
}

fn gathering_label(role: &str) -> String {
    format!("rbac.authorization.k8s.io/aggregate-to-{role}")
}

/// The rules of a row; of one that gathers others theirs, in the order of their names.
fn rules(row: &tables::Role) -> Vec<Value> {
    let mut rules: Vec<Value> = row.rules.iter().map(tables::Given::rule).collect();
    if row.gathers {
        let mut others: Vec<&tables::Role> =
            tables::ROLES.iter().filter(|other| other.gathered_by == row.name).collect();
        others.sort_by_key(|other| other.name);
        for rule in others.into_iter().flat_map(self::rules) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
    }
    rules
}

/// The bindings of those roles.
pub(crate) fn bindings() -> Vec<Value> {
    let subject = |group: &&str| json!({"kind": "Group", "apiGroup": RBAC_GROUP, "name": group});
    tables::BINDINGS
        .iter()
        .map(|(role, groups)| {
            json!({
                "metadata": {
                    "name": role,
                    "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
                    "annotations": {UPDATED: "true"},
                },
                "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": RBAC_GROUP},
                "subjects": groups.iter().map(subject).collect::<Vec<_>>(),
            })
        })
        .collect()
}

/// What a role or a binding that is there has to become: what it lacks is added, what it has beyond stays. `None` if it
/// lacks nothing or is to be left alone.
pub(crate) fn reconciled(present: &Value, wanted: &Value) -> Option<Value> {
    let annotation = present.pointer("/metadata/annotations").and_then(|all| all.get(UPDATED));
    if annotation.is_some_and(|value| value == "false") {
        return None;
    }
    let mut new = present.clone();
    for field in ["labels", "annotations"] {
        let wanted = wanted.pointer(&format!("/metadata/{field}")).and_then(Value::as_object);
        for (name, value) in wanted.into_iter().flatten() {
            let own = &mut new["metadata"][field][name];
            if own.is_null() {
                *own = value.clone();
            }
        }
    }
    let selectors = "/aggregationRule/clusterRoleSelectors";
    if let Some(wanted) = wanted.pointer(selectors).and_then(Value::as_array) {
        add_missing(&mut new["aggregationRule"]["clusterRoleSelectors"], wanted);
    } else if wanted.get("rules").is_some() {
        let (own, wanted) = (Rule::of_role(present), Rule::of_role(wanted));
        let missing = uncovered(&own.iter().collect::<Vec<_>>(), &wanted);
        let missing: Vec<Value> = missing.iter().map(|rule| json!(rule)).collect();
        add_missing(&mut new["rules"], &missing);
    }
    if let Some(wanted) = wanted.get("subjects").and_then(Value::as_array) {
        add_missing(&mut new["subjects"], wanted);
    }
    (new != *present).then_some(new)
}

fn add_missing(list: &mut Value, wanted: &[Value]) {
    let own = list.as_array().cloned().unwrap_or_default();
    let missing: Vec<Value> = wanted.iter().filter(|one| !own.contains(one)).cloned().collect();
    if !missing.is_empty() {
        *list = own.into_iter().chain(missing).collect();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{bindings, reconciled, roles};

    #[test]
    fn what_gathers_others_has_what_they_have() {
        let all = roles();
        let role = |name: &str| all.iter().find(|role| role["metadata"]["name"] == name).unwrap();
        let rules = |name: &str| role(name)["rules"].as_array().unwrap().clone();
        for rule in rules("view") {
            assert!(rules("edit").contains(&rule) && rules("admin").contains(&rule), "{rule}");
        }
        assert!(rules("admin").len() > rules("edit").len());
        assert!(rules("edit").len() > rules("view").len());
        assert!(role("view")["aggregationRule"].is_object());
    }

    #[test]
    fn what_a_user_changed_is_kept_and_what_is_missing_comes_back() {
        let wanted = bindings().remove(0);
        assert_eq!(reconciled(&wanted, &wanted), None);
        let mut changed = wanted.clone();
        let own = json!([{"kind": "User", "name": "ann"}]);
        changed["subjects"] = own.clone();
        changed["metadata"]["labels"]["mine"] = "x".into();
        let new = reconciled(&changed, &wanted).unwrap();
        assert_eq!(new["subjects"].as_array().unwrap().len(), 2);
        assert_eq!(new["subjects"][0], own[0]);
        assert_eq!(new["metadata"]["labels"]["mine"], "x");
        let annotation = "rbac.authorization.kubernetes.io/autoupdate";
        changed["metadata"]["annotations"][annotation] = "false".into();
        assert_eq!(reconciled(&changed, &wanted), None, "it is to be left alone");
    }

    #[test]
    fn a_rule_that_was_taken_away_comes_back_and_no_other() {
        let wanted = json!({"metadata": {}, "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        ]});
        let present = json!({"metadata": {}, "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        ]});
        let new = reconciled(&present, &wanted).unwrap();
        let added = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]});
        assert_eq!(new["rules"].as_array().unwrap().len(), 3);
        assert_eq!(new["rules"][2], added);
    }
}
