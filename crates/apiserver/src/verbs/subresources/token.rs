//! Tokens of service accounts.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    Resource,
    api::authentication::v1::{BoundObjectReference, TokenRequest},
};
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api},
    clock,
    failure::{Cause, Failure},
    request::Call,
    security::tokens::{self, Bound, Claims, Holder, ISSUER},
    verbs::{body, metadata},
};

const SHORTEST_SECONDS: i64 = 600;
const LONGEST_SECONDS: i64 = 1 << 32;
const USUAL_SECONDS: i64 = 3600;

pub(super) async fn issue(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let asked: TokenRequest = body::read_as(call, request.into_body()).await?;
    let name = asked.metadata.name.as_deref().unwrap_or_default();
    if !["", call.name()].contains(&name) {
        let detail = "must match the service account name if specified";
        let cause = Cause::invalid("metadata.name", &name.into(), detail);
        return Err(invalid(call.name(), cause));
    }
    let resource = call.target.resource;
    let stored = api.store.get(resource.id, &call.key());
    let account = stored.ok_or_else(|| Failure::not_found(resource, call.name()))?.value();
    let seconds = asked.spec.expiration_seconds.unwrap_or(USUAL_SECONDS);
    check_duration(seconds)?;
    let audiences = tokens::audiences(asked.spec.audiences);
    let mut holder = Holder {
        namespace: call.namespace().to_owned(),
        serviceaccount: Bound {
            name: call.name().to_owned(),
            uid: metadata::text(&account, "uid").to_owned(),
        },
        pod: None,
        secret: None,
    };
    let reference = asked.spec.bound_object_ref;
    if let Some(reference) = &reference {
        bind(api, call, reference, &mut holder)?;
    }
    let now = clock::now();
    let end = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
    let claims = Claims {
        aud: audiences.clone(),
        exp: end.as_second(),
        iat: now.as_second(),
        iss: ISSUER.to_owned(),
        jti: uuid::Uuid::new_v4().to_string(),
        nbf: now.as_second(),
        sub: format!("system:serviceaccount:{}:{}", call.namespace(), call.name()),
        holder,
    };
    let token = api
        .tokens
        .sign(&claims)
        .ok_or_else(|| Failure::internal("the token could not be signed"))?;
    let spec = json!({
        "audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference
    });
    let answer = json!({
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": call.name(), "namespace": call.namespace(), "uid": metadata::text(&account, "uid"),
            "creationTimestamp": clock::render(now),
        },
        "spec": spec,
        "status": {"token": token, "expirationTimestamp": clock::render(end)},
    });
    Ok(Answer::Value(StatusCode::CREATED, answer))
}

fn check_duration(seconds: i64) -> Result<(), Failure> {
    let detail = if seconds < SHORTEST_SECONDS {
        "may not specify a duration less than 10 minutes"
    } else if seconds > LONGEST_SECONDS {
        "may not specify a duration larger than 2^32 seconds"
    } else {
        return Ok(());
    };
    let cause = Cause::invalid("spec.expirationSeconds", &seconds.into(), detail);
    Err(invalid("", cause))
}

fn invalid(name: &str, cause: Cause) -> Failure {
    Failure::invalid_kind("authentication.k8s.io", TokenRequest::KIND, name, &[cause])
}

/// Binds the token to an object, with which it ends.
fn bind(
    api: &Api,
    call: &Call,
    reference: &BoundObjectReference,
    holder: &mut Holder,
) -> Result<(), Failure> {
    let kind = reference.kind.as_deref().unwrap_or_default();
    let plural = match kind {
        "Pod" => "pods",
        "Secret" => "secrets",
        other => {
            let why = format!("cannot bind token to object of type /v1, Kind={other}");
            return Err(Failure::bad_request(why));
        }
    };
    let resource = api.registry.core(plural);
    let name = reference.name.as_deref().unwrap_or_default();
    let stored = api.store.get(resource.id, &resource.key(call.namespace(), name));
    let object = stored.ok_or_else(|| Failure::not_found(resource, name))?.value();
    let uid = metadata::text(&object, "uid");
    let wanted = reference.uid.as_deref().unwrap_or_default();
    if !wanted.is_empty() && wanted != uid {
        let why = format!(
            "the UID in the bound object reference ({wanted}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        return Err(Failure::conflict(resource, name, &why));
    }
    let bound = Some(Bound { name: name.to_owned(), uid: uid.to_owned() });
    if plural == "pods" {
        let account =
            object.pointer("/spec/serviceAccountName").and_then(Value::as_str).unwrap_or_default();
        if account != call.name() {
            let why = format!(
                "cannot bind token for serviceaccount \"{}\" to pod running with different serviceaccount name.",
                call.name()
            );
            return Err(Failure::bad_request(why));
        }
        holder.pod = bound;
    } else {
        holder.secret = bound;
    }
    Ok(())
}
