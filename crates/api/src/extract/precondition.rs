use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::error::Error;
use flumen_control::Terms;

/// The version that the caller saw; `None` takes any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IfMatch(Option<i64>);

impl IfMatch {
    /// The terms of a request with this idempotency key.
    pub(crate) fn terms(self, key: Option<(String, String)>) -> Terms {
        Terms { key, if_match: self.0 }
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        read(&parts.headers)
    }
}

fn read(headers: &HeaderMap) -> Result<IfMatch, Error> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(IfMatch(None)) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(IfMatch(None));
    }
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .and_then(|text| text.parse().ok())
        .map(|version| IfMatch(Some(version)))
        .ok_or(Error::Header { name: "If-Match", allowed: "send the ETag of an earlier answer" })
}

/// An answer with its version as `ETag`.
pub(crate) fn tagged(version: u64, body: &impl Serialize) -> Response {
    ([(header::ETAG, format!("\"{version}\""))], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(value: &'static str) -> Option<IfMatch> {
        read(&HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(value))])).ok()
    }

    #[test]
    fn the_tag_of_an_answer_is_taken_back() {
        assert_eq!(of("\"7\""), Some(IfMatch(Some(7))));
        assert_eq!(of("*"), Some(IfMatch(None)));
        for bad in ["7", "\"x\"", "W/\"7\"", ""] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
