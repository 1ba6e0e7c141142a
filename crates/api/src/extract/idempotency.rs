use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};

use flumen_model::Digest;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::error::Error;

const NAME: &str = "idempotency-key";
const MAX: usize = 255;

/// The key by which a repeated request is seen to be one.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        read(&parts.headers).map(Self)
    }
}

fn read(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let invalid = || Error::Header {
        name: "Idempotency-Key",
        allowed: "use 1 to 255 visible ASCII characters",
    };
    let Some(value) = headers.get(NAME) else { return Ok(None) };
    let text = value.to_str().map_err(|_| invalid())?;
    if text.is_empty() || text.len() > MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid());
    }
    Ok(Some(text.to_owned()))
}

impl IdempotencyKey {
    /// The key, and the hash of the request that it stands for: the same key with another request is
    /// a mistake of the caller.
    pub(crate) fn with(self, request: &impl Serialize) -> Option<(String, String)> {
        let text = serde_json::to_vec(request).unwrap_or_default();
        self.0.map(|key| (key, Digest::from_sha256(&Sha256::digest(text).into()).hex().to_owned()))
    }
}
