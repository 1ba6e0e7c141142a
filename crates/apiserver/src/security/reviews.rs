//! Questions about oneself and one's rights, which are answered and never stored.

use serde_json::{Map, Value, json};

use super::{User, authentication, tokens::audiences};
use crate::api::Api;

/// Answers a review.
pub(crate) fn answer(api: &Api, user: &User, review: &'static str, mut asked: Value) -> Value {
    let (kind, group) = match review {
        "selfsubjectaccessreviews" => ("SelfSubjectAccessReview", "authorization"),
        "selfsubjectrulesreviews" => ("SelfSubjectRulesReview", "authorization"),
        "selfsubjectreviews" => ("SelfSubjectReview", "authentication"),
        _ => ("TokenReview", "authentication"),
    };
    if !asked.is_object() {
        asked = json!({});
    }
    asked["kind"] = kind.into();
    asked["apiVersion"] = format!("{group}.k8s.io/v1").into();
    if asked.get("metadata").is_none() {
        asked["metadata"] = json!({});
    }
    asked["status"] = match kind {
        "SelfSubjectAccessReview" => json!({"allowed": true}),
        "SelfSubjectRulesReview" => json!({
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": false,
        }),
        "SelfSubjectReview" => json!({"userInfo": describe(user)}),
        _ => token_status(api, &asked),
    };
    asked
}

fn describe(user: &User) -> Value {
    let mut facts = json!({"username": user.name, "groups": user.groups});
    if !user.uid.is_empty() {
        facts["uid"] = user.uid.as_str().into();
    }
    if !user.extra.is_empty() {
        let extra: Map<String, Value> =
            user.extra.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        facts["extra"] = Value::Object(extra);
    }
    facts
}

fn token_status(api: &Api, asked: &Value) -> Value {
    let token = asked.pointer("/spec/token").and_then(Value::as_str).unwrap_or_default();
    let audiences = audiences(asked);
    match authentication::user_of_service_account(api, token, &audiences) {
        Some((user, claims)) => {
            let common: Vec<&String> =
                claims.aud.iter().filter(|one| audiences.contains(one)).collect();
            json!({"authenticated": true, "user": describe(&user), "audiences": common})
        }
        None => json!({"user": {}, "error": "invalid bearer token"}),
    }
}
