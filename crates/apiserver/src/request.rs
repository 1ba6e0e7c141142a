//! What a request asks for: its path, its query, the form of the answer it accepts.

use http::{HeaderMap, Method, header};

pub(crate) use self::{
    accept::Accept,
    attributes::{Attributes, Resource, Wanted},
    path::{REVIEWS, Review, Route, Target, decode, parse as parse_path},
    query::Query,
    warnings::Warnings,
};
use crate::security::User;

mod accept;
mod attributes;
pub(crate) mod options;
mod path;
mod query;
mod warnings;

/// The longest body of a request that writes an object; the limit of the real server.
pub(crate) const MAXIMUM_BODY_BYTES: usize = 3 << 20;

/// A request for objects, without its body.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) user: User,
    /// What was allowed.
    pub(crate) attributes: Attributes,
    pub(crate) warnings: Warnings,
    /// The fields that stand twice in the body, once it was read.
    pub(crate) twice: std::sync::OnceLock<Vec<String>>,
}

impl Call {
    /// The name in the path; an empty one where the path names a collection.
    pub(crate) fn name(&self) -> &str {
        self.target.name.as_deref().unwrap_or_default()
    }

    pub(crate) fn namespace(&self) -> &str {
        self.target.namespace.as_deref().unwrap_or_default()
    }

    /// The key of the named object in the store.
    pub(crate) fn key(&self) -> String {
        self.target.resource.key(self.namespace(), self.name())
    }

    /// Whether nothing is to be stored; the value was checked with the other options.
    pub(crate) fn dry_run(&self) -> bool {
        self.query.text("dryRun").is_some()
    }

    /// The media type of the body without its parameters.
    pub(crate) fn content_type(&self) -> &str {
        media_type(&self.headers)
    }

    /// Who is to be noted as the manager of the fields that the request sets.
    pub(crate) fn manager(&self) -> String {
        if let Some(manager) =
            self.query.first("fieldManager").filter(|manager| !manager.is_empty())
        {
            return manager.to_owned();
        }
        let agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let name = agent.unwrap_or_default().split('/').next().unwrap_or_default();
        if name.is_empty() { "unknown".to_owned() } else { name.chars().take(128).collect() }
    }

    /// Whether the client asked for a WebSocket.
    pub(crate) fn wants_web_socket(&self) -> bool {
        let has =
            |name: header::HeaderName, word: &str| {
                self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(
                    |value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)),
                )
            };
        has(header::CONNECTION, "upgrade") && has(header::UPGRADE, "websocket")
    }
}

/// The media type of a body without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.unwrap_or("application/json").split(';').next().unwrap_or_default().trim()
}
