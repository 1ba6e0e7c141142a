//! Roles and their bindings.

use serde_json::Value;

use super::{
    Rules, child, default_to, items, label_value_problem, qualified_problems, subdomain_problem,
    text, write_empty,
};
use crate::{failure::Cause, resources::RBAC_GROUP};

/// What is wrong with a name that may be anything that can stand in a path.
fn path_problem(name: &str) -> Option<String> {
    if matches!(name, "." | "..") {
        return Some(format!("may not be '{name}'"));
    }
    ["/", "%"]
        .into_iter()
        .find(|part| name.contains(part))
        .map(|part| format!("may not contain '{part}'"))
}

/// Roles, in namespaces or of the cluster.
pub(crate) struct Roles {
    pub(crate) namespaced: bool,
}

impl Rules for Roles {
    fn complete(&self, object: &mut Value) {
        write_empty(object, "rules", Value::Null);
        for rule in items(object, "rules") {
            write_empty(rule, "verbs", Value::Null);
        }
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        let rules = object.get("rules").and_then(Value::as_array).into_iter().flatten();
        for (position, rule) in rules.enumerate() {
            check_rule(rule, self.namespaced, &format!("rules[{position}]"), &mut causes);
        }
        check_aggregation(object, &mut causes);
        causes
    }

    /// The real server checks a change twice, and says each time what it finds.
    fn validate_update(&self, new: &Value, _old: &Value) -> Vec<Cause> {
        self.validate(new)
    }

    fn name_problem(&self, name: &str) -> Option<String> {
        path_problem(name)
    }
}

fn check_rule(rule: &Value, namespaced: bool, place: &str, causes: &mut Vec<Cause>) {
    let list =
        |field: &str| rule.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_empty = |field: &str| list(field).is_empty();
    if is_empty("verbs") {
        let detail = "verbs must contain at least one value";
        causes.push(Cause::required(format!("{place}.verbs"), detail));
    }
    if !is_empty("nonResourceURLs") {
        let mut refuse = |detail: &str| {
            let urls = rule.get("nonResourceURLs").unwrap_or(&Value::Null);
            causes.push(Cause::invalid(format!("{place}.nonResourceURLs"), urls, detail));
        };
        if namespaced {
            refuse("namespaced rules cannot apply to non-resource URLs");
        }
        if !["apiGroups", "resources", "resourceNames"].into_iter().all(is_empty) {
            refuse("rules cannot apply to both regular resources and non-resource URLs");
        }
        return;
    }
    if is_empty("apiGroups") {
        let detail = "resource rules must supply at least one api group";
        causes.push(Cause::required(format!("{place}.apiGroups"), detail));
    }
    if is_empty("resources") {
        let detail = "resource rules must supply at least one resource";
        causes.push(Cause::required(format!("{place}.resources"), detail));
    }
}

fn check_aggregation(role: &Value, causes: &mut Vec<Cause>) {
    let Some(aggregation) = role.get("aggregationRule").filter(|it| !it.is_null()) else { return };
    let place = "aggregationRule.clusterRoleSelectors";
    let selectors = aggregation.get("clusterRoleSelectors").and_then(Value::as_array);
    let selectors = selectors.map_or(&[][..], Vec::as_slice);
    if selectors.is_empty() {
        let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        causes.push(Cause::required(place, detail));
    }
    for (position, selector) in selectors.iter().enumerate() {
        let (whole, known) = (format!("{place}[{position}]"), causes.len());
        let place = format!("{whole}.matchLabels");
        let labels = selector.get("matchLabels").and_then(Value::as_object);
        for (key, value) in labels.into_iter().flatten() {
            for problem in qualified_problems(key) {
                causes.push(Cause::invalid(&place, &key.as_str().into(), &problem));
            }
            if let Some(problem) = label_value_problem(value.as_str().unwrap_or_default()) {
                causes.push(Cause::invalid(&place, value, &problem));
            }
        }
        if causes.len() > known {
            causes.push(Cause::invalid(whole, &Value::Null, "invalid label selector."));
        }
    }
}

/// What gives roles to subjects, in namespaces or in the cluster.
pub(crate) struct Bindings {
    pub(crate) namespaced: bool,
}

impl Rules for Bindings {
    fn default(&self, object: &mut Value) {
        if let Some(role) = child(object, "roleRef") {
            default_to(role, "apiGroup", RBAC_GROUP);
        }
        for subject in items(object, "subjects") {
            if matches!(text(subject, "/kind"), "User" | "Group") {
                default_to(subject, "apiGroup", RBAC_GROUP);
            }
        }
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        let group = text(object, "/roleRef/apiGroup");
        if group != RBAC_GROUP {
            causes.push(Cause::unsupported("roleRef.apiGroup", &group.into(), &[RBAC_GROUP]));
        }
        let kinds: &[&str] =
            if self.namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
        let kind = text(object, "/roleRef/kind");
        if !kinds.contains(&kind) {
            causes.push(Cause::unsupported("roleRef.kind", &kind.into(), kinds));
        }
        let name = text(object, "/roleRef/name");
        if name.is_empty() {
            causes.push(Cause::required("roleRef.name", ""));
        } else if let Some(problem) = path_problem(name) {
            causes.push(Cause::invalid("roleRef.name", &name.into(), &problem));
        }
        let subjects = object.get("subjects").and_then(Value::as_array).into_iter().flatten();
        for (position, subject) in subjects.enumerate() {
            check_subject(subject, self.namespaced, &format!("subjects[{position}]"), &mut causes);
        }
        causes
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        // As of roles, a change is checked twice.
        let mut causes = self.validate(new);
        if new.get("roleRef") == old.get("roleRef") {
            return causes;
        }
        let told = serde_json::json!({
            "APIGroup": text(new, "/roleRef/apiGroup"), "Kind": text(new, "/roleRef/kind"),
            "Name": text(new, "/roleRef/name"),
        });
        causes.push(Cause::invalid("roleRef", &told, "cannot change roleRef"));
        causes
    }

    fn name_problem(&self, name: &str) -> Option<String> {
        path_problem(name)
    }
}

fn check_subject(subject: &Value, namespaced: bool, place: &str, causes: &mut Vec<Cause>) {
    let name = text(subject, "/name");
    if name.is_empty() {
        causes.push(Cause::required(format!("{place}.name"), ""));
    }
    let group = text(subject, "/apiGroup");
    let allowed = match text(subject, "/kind") {
        "ServiceAccount" => {
            if let Some(problem) =
                Some(name).filter(|it| !it.is_empty()).and_then(subdomain_problem)
            {
                causes.push(Cause::invalid(format!("{place}.name"), &name.into(), &problem));
            }
            ""
        }
        "User" | "Group" => RBAC_GROUP,
        kind => {
            let known = ["ServiceAccount", "User", "Group"];
            causes.push(Cause::unsupported(format!("{place}.kind"), &kind.into(), &known));
            return;
        }
    };
    if group != allowed {
        causes.push(Cause::unsupported(format!("{place}.apiGroup"), &group.into(), &[allowed]));
    }
    if allowed.is_empty() && !namespaced && text(subject, "/namespace").is_empty() {
        causes.push(Cause::required(format!("{place}.namespace"), ""));
    }
}
