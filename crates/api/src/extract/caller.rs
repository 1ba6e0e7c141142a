use axum::{
    extract::{FromRequestParts, Request, State},
    http::{header, request::Parts},
    middleware::Next,
    response::Response,
};
use flumen_control::Principal;
use flumen_model::Secret;

use crate::{error::Error, state::Api};

/// Who asks.
pub(crate) struct Caller(pub(crate) Principal);

/// Lets only requests with a valid token through. It stands before the whole router, so that a new
/// handler cannot be forgotten.
pub(crate) async fn authenticate(
    State(api): State<Api>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let token =
        bearer(request.headers().get(header::AUTHORIZATION)).ok_or(Error::Unauthenticated)?;
    let principal = api.control.authenticate(&token).await?.ok_or(Error::Unauthenticated)?;
    request.extensions_mut().insert(principal);
    Ok(next.run(request).await)
}

fn bearer(header: Option<&header::HeaderValue>) -> Option<Secret> {
    let (scheme, token) = header?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
        .then(|| Secret::new(token.trim().to_owned()))
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts.extensions.get().cloned().map(Self).ok_or(Error::Unauthenticated)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_bearer_tokens_count() {
        let token = |text| bearer(Some(&HeaderValue::from_static(text)));
        assert_eq!(token("Bearer abc"), Some(Secret::new("abc".into())));
        assert_eq!(token("bearer abc"), Some(Secret::new("abc".into())));
        for bad in ["abc", "Basic abc", "Bearer ", "Bearer"] {
            assert_eq!(token(bad), None, "{bad}");
        }
    }
}
