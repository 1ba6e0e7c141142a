//! Who sends a request: the holder of a bearer token.

use axum::body::Body;
use http::{Request, header};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    ADMINISTRATOR, User,
    tokens::{Claims, ISSUER},
};
use crate::{api::Api, clock};

/// How long the token of a pod that is being deleted is good after the end of its grace.
const LEEWAY_SECONDS: i64 = 60;

/// The token of a request.
pub(crate) fn bearer(request: &Request<Body>) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The user that a token proves; `None` if it proves nothing now.
pub(crate) fn user_of_token(api: &Api, token: &str) -> Option<User> {
    if api.tokens.is_administrator(token) {
        return Some(User::new(ADMINISTRATOR, ["system:masters"]));
    }
    user_of_service_account(api, token, &[ISSUER.to_owned()]).map(|(user, _)| user)
}

/// For whom a token is that proves a service account; `None` if it proves nothing.
pub(super) fn audiences_of(api: &Api, token: &str) -> Option<Vec<String>> {
    let own = api.tokens.verify(token)?.aud;
    user_of_service_account(api, token, &own).map(|_| own)
}

/// The service account that a token for one of these audiences proves.
pub(crate) fn user_of_service_account(
    api: &Api,
    token: &str,
    audiences: &[String],
) -> Option<(User, Claims)> {
    let claims = api.tokens.verify(token)?;
    let now = clock::now().as_second();
    let in_time = claims.nbf <= now + LEEWAY_SECONDS && now < claims.exp;
    if claims.iss != ISSUER || !in_time || !claims.aud.iter().any(|one| audiences.contains(one)) {
        return None;
    }
    let holder = &claims.holder;
    let (namespace, account) = (&holder.namespace, &holder.serviceaccount);
    is_alive(api, "serviceaccounts", namespace, &account.name, &account.uid)?;
    let mut user = User::new(
        &format!("system:serviceaccount:{namespace}:{}", account.name),
        ["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")],
    );
    user.uid.clone_from(&account.uid);
    let credential = ("authentication.kubernetes.io/credential-id", format!("JTI={}", claims.jti));
    user.extra.push((credential.0.to_owned(), credential.1));
    if let Some(pod) = &holder.pod {
        is_alive(api, "pods", namespace, &pod.name, &pod.uid)?;
        user.extra.push(("authentication.kubernetes.io/pod-name".into(), pod.name.clone()));
        user.extra.push(("authentication.kubernetes.io/pod-uid".into(), pod.uid.clone()));
    }
    if let Some(secret) = &holder.secret {
        is_alive(api, "secrets", namespace, &secret.name, &secret.uid)?;
    }
    Some((user, claims))
}

/// Whether the very object still exists and did not end long ago.
fn is_alive(api: &Api, plural: &str, namespace: &str, name: &str, uid: &str) -> Option<()> {
    let resource = api.registry.core(plural);
    let object = api.store.get(resource.id, &resource.key(namespace, name))?.value();
    let own = object.pointer("/metadata/uid").and_then(Value::as_str)?;
    let deleted = object.pointer("/metadata/deletionTimestamp").and_then(Value::as_str);
    let deleted: Option<Timestamp> = deleted.and_then(|time| time.parse().ok());
    let alive =
        deleted.is_none_or(|end| clock::now().as_second() < end.as_second() + LEEWAY_SECONDS);
    (own == uid && alive).then_some(())
}
