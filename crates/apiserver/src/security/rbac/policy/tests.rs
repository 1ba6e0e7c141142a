//! Verdicts on tables of questions.

use http::Method;
use serde_json::{Value, json};

use super::{super::rule, Policy};
use crate::{
    request::{Attributes, Query},
    security::{User, rbac::uncovered},
};

/// A policy with one role in the namespace `a` and one of the cluster, and their bindings.
fn policy() -> Policy {
    let mut policy = Policy::default();
    let role = json!({"rules": [
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"], "verbs": ["get", "list"]},
        {"apiGroups": ["*"], "resources": ["*/scale"], "verbs": ["patch"]},
    ]});
    policy.set_role("a", "worker", Some(&role));
    let subjects = json!([{"kind": "ServiceAccount", "name": "s"}, {"kind": "Group", "name": "g"}]);
    policy.set_binding("a", "workers", Some(&binding("Role", "worker", &subjects)));
    let paths = json!({"rules": [{"nonResourceURLs": ["/metrics", "/api/*"], "verbs": ["get"]}]});
    policy.set_role("", "reader", Some(&paths));
    let subjects = json!([{"kind": "User", "name": "ann"}]);
    policy.set_binding("", "readers", Some(&binding("ClusterRole", "reader", &subjects)));
    policy
}

fn binding(kind: &str, name: &str, subjects: &Value) -> Value {
    json!({"roleRef": {"kind": kind, "name": name}, "subjects": subjects})
}

fn asks(method: &Method, path: &str) -> Attributes {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Attributes::of(method, path, &Query::parse(Some(query)))
}

#[test]
fn a_request_is_allowed_by_a_rule_and_by_nothing_else() {
    let policy = policy();
    let account = User::new("system:serviceaccount:a:s", ["system:serviceaccounts"]);
    let ann = User::new("ann", ["people"]);
    let member = User::new("bob", ["g"]);
    let (get, patch) = (Method::GET, Method::PATCH);
    for (user, method, path, expected) in [
        (&account, &get, "/api/v1/namespaces/a/pods", true),
        (&account, &get, "/api/v1/namespaces/a/pods?watch=1", false),
        (&account, &get, "/api/v1/namespaces/a/pods/p/log", true),
        (&account, &get, "/api/v1/namespaces/a/pods/p/exec", false),
        (&account, &get, "/api/v1/namespaces/b/pods", false),
        (&account, &get, "/api/v1/pods", false),
        (&account, &Method::DELETE, "/api/v1/namespaces/a/pods", false),
        (&account, &Method::DELETE, "/apis/apps/v1/namespaces/a/deployments", true),
        (&account, &get, "/api/v1/namespaces/a/configmaps/one", true),
        (&account, &get, "/api/v1/namespaces/a/configmaps/two", false),
        (&account, &get, "/api/v1/namespaces/a/configmaps", false),
        (&account, &get, "/api/v1/namespaces/a/configmaps?fieldSelector=metadata.name%3Done", true),
        (&account, &patch, "/apis/x.y/v1/namespaces/a/things/t/scale", true),
        (&account, &patch, "/apis/x.y/v1/namespaces/a/things/t", false),
        (&account, &get, "/metrics", false),
        (&member, &get, "/api/v1/namespaces/a/pods", true),
        (&ann, &get, "/api/v1/namespaces/a/pods", false),
        (&ann, &get, "/metrics", true),
        (&ann, &get, "/metrics/x", false),
        (&ann, &get, "/api/v1", true),
        (&ann, &get, "/api", false),
        (&ann, &Method::POST, "/metrics", false),
    ] {
        let asked = asks(method, path);
        let allowed = policy.judge(user, &asked).is_allowed();
        assert_eq!(allowed, expected, "{} {method} {path}", user.name);
    }
}

#[test]
fn masters_need_no_role() {
    let master = User::new("root", ["system:masters"]);
    let asked = asks(&Method::DELETE, "/api/v1/nodes/n");
    assert!(Policy::default().judge(&master, &asked).is_allowed());
    assert!(!Policy::default().judge(&User::new("root", ["x"]), &asked).is_allowed());
}

#[test]
fn what_allows_it_is_told_and_what_is_missing_too() {
    let mut policy = policy();
    let user = User::new("system:serviceaccount:a:s", ["g"]);
    let asked = asks(&Method::GET, "/api/v1/namespaces/a/pods");
    assert_eq!(
        policy.judge(&user, &asked).reason(),
        r#"RBAC: allowed by RoleBinding "workers/a" of Role "worker" to ServiceAccount "s/a""#
    );
    policy.set_role("a", "worker", None);
    let verdict = policy.judge(&user, &asked);
    assert!(!verdict.is_allowed());
    assert_eq!(verdict.reason(), r#"RBAC: role.rbac.authorization.k8s.io "worker" not found"#);
}

#[test]
fn a_change_counts_from_the_next_question_on() {
    let mut policy = policy();
    let (user, asked) = (User::new("ann", ["x"]), asks(&Method::GET, "/metrics"));
    let other = json!([{"kind": "User", "name": "bob"}]);
    policy.set_binding("", "readers", Some(&binding("ClusterRole", "reader", &other)));
    assert!(!policy.judge(&user, &asked).is_allowed(), "it is another's now");
    assert!(policy.judge(&User::new("bob", ["x"]), &asked).is_allowed());
    policy.set_binding("", "readers", None);
    assert!(!policy.judge(&User::new("bob", ["x"]), &asked).is_allowed());
}

#[test]
fn only_what_is_held_can_be_given() {
    let policy = policy();
    let user = User::new("system:serviceaccount:a:s", ["x"]);
    let (owned, _) = policy.rules(&user, "a");
    for (rule, missing) in [
        (json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}), ""),
        (json!({"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}), ""),
        (
            json!({"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"], "verbs": ["get"]}),
            "",
        ),
        (
            json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}),
            r#"{APIGroups:[""], Resources:["configmaps"], Verbs:["get"]}"#,
        ),
        (
            json!({"apiGroups": ["", "apps"], "resources": ["pods"], "verbs": ["get", "delete", "patch"]}),
            r#"{APIGroups:[""], Resources:["pods"], Verbs:["delete" "patch"]}"#,
        ),
        (json!({"apiGroups": ["x"], "resources": ["y/scale"], "verbs": ["patch"]}), ""),
        (
            json!({"nonResourceURLs": ["/x"], "verbs": ["get"]}),
            r#"{NonResourceURLs:["/x"], Verbs:["get"]}"#,
        ),
    ] {
        let wanted = rule::Rule::of_role(&json!({ "rules": [rule] }));
        assert_eq!(rule::describe(&uncovered(&owned, &wanted)), missing, "{wanted:?}");
    }
}
