//! Questions about users and their rights, which are answered and never stored.

use serde_json::{Map, Value, json};

use super::{User, authentication, rbac::quoted, tokens::audiences};
use crate::{api::Api, failure::Failure, request::Review};

mod access;

/// Answers a review.
///
/// # Errors
/// If it does not say what it is about.
pub(crate) fn answer(
    api: &Api,
    user: &User,
    (review, namespace): (&Review, &str),
    mut asked: Value,
) -> Result<Value, Failure> {
    if !asked.is_object() {
        asked = json!({});
    }
    asked["kind"] = review.kind.into();
    asked["apiVersion"] = format!("{}/v1", review.group).into();
    if !asked.get("metadata").is_some_and(Value::is_object) {
        asked["metadata"] = json!({});
    }
    if review.namespaced && asked["metadata"]["namespace"].is_null() {
        asked["metadata"]["namespace"] = namespace.into();
    }
    asked["status"] = match review.kind {
        "SelfSubjectRulesReview" => {
            let status = access::rules(api, user, &asked)?;
            asked["spec"] = json!({});
            status
        }
        "SelfSubjectReview" => json!({"userInfo": describe(user)}),
        "TokenReview" => token_status(api, &asked)?,
        _ => access::access(api, user, (review, namespace), &asked)?,
    };
    Ok(asked)
}

fn describe(user: &User) -> Value {
    let mut facts = json!({"username": user.name, "groups": user.groups});
    if !user.uid.is_empty() {
        facts["uid"] = user.uid.as_str().into();
    }
    if !user.extra.is_empty() {
        let mut extra: Map<String, Value> = Map::new();
        for (name, value) in &user.extra {
            let values = extra.entry(name.clone()).or_insert_with(|| json!([]));
            if let Some(values) = values.as_array_mut() {
                values.push(value.as_str().into());
            }
        }
        facts["extra"] = Value::Object(extra);
    }
    facts
}

fn token_status(api: &Api, asked: &Value) -> Result<Value, Failure> {
    let token = asked.pointer("/spec/token").and_then(Value::as_str).unwrap_or_default();
    if token.is_empty() {
        let why = "token is required for TokenReview in authentication";
        return Err(Failure::bad_request(why));
    }
    let named = asked.pointer("/spec/audiences").and_then(Value::as_array).into_iter().flatten();
    let audiences = audiences(named.filter_map(Value::as_str).map(str::to_owned).collect());
    if let Some((user, claims)) = authentication::user_of_service_account(api, token, &audiences) {
        let common: Vec<&String> = claims.aud.iter().filter(|it| audiences.contains(it)).collect();
        let user = describe(&user);
        return Ok(json!({"authenticated": true, "user": user, "audiences": common}));
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
    Ok(json!({"user": {}, "error": error}))
}
