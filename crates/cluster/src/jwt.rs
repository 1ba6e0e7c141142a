//! What a JSON Web Token (RFC 7519) says of itself. It is not verified: that is for the API server.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use serde_json::Value;

pub(crate) fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(claims).or_else(|_| STANDARD.decode(claims)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

pub(crate) fn end(claims: &Value) -> Option<Timestamp> {
    Timestamp::from_second(claims["exp"].as_i64()?).ok()
}
