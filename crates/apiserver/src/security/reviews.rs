//! Questions about oneself and one's rights, which are answered and never stored.

use serde_json::{Map, Value, json};

use super::{User, authentication, tokens::audiences};
use crate::{
    api::Api,
    failure::{Cause, Failure},
};

/// Answers a review.
///
/// # Errors
/// If it does not say what it is about.
pub(crate) fn answer(
    api: &Api,
    user: &User,
    review: &'static str,
    mut asked: Value,
) -> Result<Value, Failure> {
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
    check(kind, &asked)?;
    if kind == "SelfSubjectRulesReview" {
        asked["spec"] = json!({});
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
    Ok(asked)
}

fn check(kind: &str, asked: &Value) -> Result<(), Failure> {
    let text = |pointer: &str| asked.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let part = |name: &str| asked.get("spec")?.get(name).filter(|part| !part.is_null());
    let cause = match (kind, part("resourceAttributes"), part("nonResourceAttributes")) {
        ("SelfSubjectRulesReview", ..) if text("/spec/namespace").is_empty() => {
            return Err(Failure::bad_request("no namespace on request"));
        }
        ("TokenReview", ..) if text("/spec/token").is_empty() => {
            let why = "token is required for TokenReview in authentication";
            return Err(Failure::bad_request(why));
        }
        ("SelfSubjectAccessReview", Some(_), Some(_)) => {
            let (path, verb) =
                ("/spec/nonResourceAttributes/path", "/spec/nonResourceAttributes/verb");
            let told = json!({"Path": text(path), "Verb": text(verb)});
            let detail = "cannot be specified in combination with resourceAttributes";
            Cause::invalid("spec.nonResourceAttributes", &told, detail)
        }
        ("SelfSubjectAccessReview", None, None) => {
            let detail =
                "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            Cause::invalid("spec.resourceAttributes", &Value::Null, detail)
        }
        _ => return Ok(()),
    };
    Err(Failure::invalid_kind("authorization.k8s.io", "", "", &[cause]))
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
    if let Some((user, claims)) = authentication::user_of_service_account(api, token, &audiences) {
        let common: Vec<&String> = claims.aud.iter().filter(|it| audiences.contains(it)).collect();
        return json!({"authenticated": true, "user": describe(&user), "audiences": common});
    }
    let invalid = "invalid bearer token";
    let error = match authentication::audiences_of(api, token) {
        None => invalid.to_owned(),
        Some(own) => format!(
            "[{invalid}, token audiences {} is invalid for the target audiences {}]",
            quoted(&own),
            quoted(&audiences)
        ),
    };
    json!({"user": {}, "error": error})
}

fn quoted(list: &[String]) -> String {
    let quoted: Vec<String> = list.iter().map(|one| format!("{one:?}")).collect();
    format!("[{}]", quoted.join(" "))
}
