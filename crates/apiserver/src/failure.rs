//! What a client is told when a request fails: the `Status` object, with the words of the real server.

use std::{collections::HashSet, fmt::Display};

use http::StatusCode;
use serde_json::{Map, Value, json};

pub(crate) use self::cause::Cause;
use crate::{patches::json::Refused, request::Wanted, resources::Resource};

mod cause;

/// The media types of answers of the real server.
const MEDIA_TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// A failed request, as the client sees it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) code: StatusCode,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// In a box, because every result that may be a failure is as large as one.
    details: Option<Box<Value>>,
    /// With what the rest of a list can be asked for.
    token: String,
    /// Plain text instead of a `Status`, as the real server answers outside of its API.
    pub(crate) plain: bool,
}

impl Failure {
    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, reason, message, details: None, token: String::new(), plain: false }
    }

    fn about(mut self, resource: &Resource, name: &str) -> Self {
        let mut details = Map::new();
        if !name.is_empty() {
            details.insert("name".into(), name.into());
        }
        if !resource.group.is_empty() {
            details.insert("group".into(), resource.group.into());
        }
        details.insert("kind".into(), resource.plural.into());
        self.details = Some(Box::new(Value::Object(details)));
        self
    }

    pub(crate) fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).about(resource, name)
    }

    /// Something that is not found and is no object of this server.
    pub(crate) fn not_found_because(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// The path is none of this server's.
    pub(crate) fn no_such_path() -> Self {
        let mut failure = Self::new(StatusCode::NOT_FOUND, "NotFound", "404 page not found\n");
        failure.plain = true;
        failure
    }

    /// The path begins as one of this server's groups, and leads to nothing in it.
    pub(crate) fn no_such_resource() -> Self {
        let message = "the server could not find the requested resource";
        let mut failure = Self::new(StatusCode::NOT_FOUND, "NotFound", message);
        failure.details = Some(Box::new(json!({})));
        failure
    }

    pub(crate) fn already_exists(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::new(StatusCode::CONFLICT, "AlreadyExists", message).about(resource, name)
    }

    pub(crate) fn modified(resource: &Resource, name: &str) -> Self {
        Self::conflict(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub(crate) fn conflict(resource: &Resource, name: &str, why: &str) -> Self {
        let message =
            format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Self::new(StatusCode::CONFLICT, "Conflict", message).about(resource, name)
    }

    /// A conflict about a part of an object, named as messages name it.
    pub(crate) fn conflict_of(what: &str, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {what} \"{name}\": {why}");
        let mut failure = Self::new(StatusCode::CONFLICT, "Conflict", message);
        failure.details = Some(Box::new(json!({"name": name, "kind": what})));
        failure
    }

    /// Fields that server-side apply may not take from their managers; each with the manager's name and the field.
    pub(crate) fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let count = conflicts.len();
        let mut managers: Vec<&str> =
            conflicts.iter().map(|(manager, _)| manager.as_str()).collect();
        managers.dedup();
        let text = if let [(manager, field)] = conflicts {
            format!("conflict with {manager}: {field}")
        } else {
            let list = |manager: &&str| {
                let own = conflicts.iter().filter(|(name, _)| name == manager);
                let fields: String = own.map(|(_, field)| ["\n- ", field].concat()).collect();
                format!("conflicts with {manager}:{fields}")
            };
            managers.iter().map(list).collect::<Vec<String>>().join("\n")
        };
        let plural = if count == 1 { "conflict" } else { "conflicts" };
        let causes: Vec<Value> = conflicts
            .iter()
            .map(|(manager, field)| {
                json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": field})
            })
            .collect();
        let mut failure = Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            format!("Apply failed with {count} {plural}: {text}"),
        );
        failure.details = Some(Box::new(json!({ "causes": causes })));
        failure
    }

    pub(crate) fn invalid(resource: &Resource, name: &str, causes: &[Cause]) -> Self {
        // The checks are those of the form that is stored, which is of the core group.
        let group = if resource.alias.is_some() { "" } else { resource.group };
        Self::invalid_kind(group, resource.kind, name, causes)
    }

    pub(crate) fn invalid_kind(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let mut told = HashSet::new();
        let mut texts: Vec<String> = causes.iter().map(ToString::to_string).collect();
        // What two checks find is said once.
        texts.retain(|text| told.insert(text.clone()));
        let list = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut failure = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            format!("{qualified} \"{name}\" is invalid: {list}"),
        );
        let causes: Vec<Value> = causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        let mut details = Map::new();
        if !name.is_empty() {
            details.insert("name".into(), name.into());
        }
        if !group.is_empty() {
            details.insert("group".into(), group.into());
        }
        if !kind.is_empty() {
            details.insert("kind".into(), kind.into());
        }
        details.insert("causes".into(), causes.into());
        failure.details = Some(Box::new(Value::Object(details)));
        failure
    }

    /// A JSON patch that is not applied; the real server does not say which operation does not fit.
    pub(crate) fn json_patch(refused: &Refused) -> Self {
        if let Refused::TooManyOperations(limit, count) = refused {
            let why = "The allowed maximum operations in a JSON patch is";
            return Self::too_large_because(&format!("{why} {limit}, got {count}"));
        }
        let message = "the server rejected our request due to an error in our request";
        let mut failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
        failure.details = Some(Box::new(json!({})));
        failure
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn forbidden(resource: &Resource, name: &str, why: &str) -> Self {
        let subject = if name.is_empty() {
            resource.qualified()
        } else {
            format!("{} \"{name}\"", resource.qualified())
        };
        Self::new(StatusCode::FORBIDDEN, "Forbidden", format!("{subject} is forbidden: {why}"))
            .about(resource, name)
    }

    /// Groups or other facts of a user to act as, and no user.
    pub(crate) fn without_user() -> Self {
        let message = "Internal Server Error: groups, a uid or extra facts were requested without impersonating a user\n";
        let mut failure = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "", message);
        failure.plain = true;
        failure
    }

    /// What somebody may not do, in whatever it is about.
    pub(crate) fn denied(wanted: &Wanted, why: &str) -> Self {
        let Wanted::Resource(it) = wanted else {
            let mut failure =
                Self::new(StatusCode::FORBIDDEN, "Forbidden", format!("forbidden: {why}"));
            failure.details = Some(Box::new(json!({})));
            return failure;
        };
        let mut subject = it.plural.clone();
        let mut details = Map::new();
        for (field, text) in [("name", &it.name), ("group", &it.group), ("kind", &it.plural)] {
            if !text.is_empty() {
                details.insert(field.into(), text.as_str().into());
            }
        }
        if !it.group.is_empty() {
            subject = format!("{subject}.{}", it.group);
        }
        if !it.name.is_empty() {
            subject = format!("{subject} {:?}", it.name);
        }
        let message = format!("{subject} is forbidden: {why}");
        let mut failure = Self::new(StatusCode::FORBIDDEN, "Forbidden", message);
        failure.details = Some(Box::new(Value::Object(details)));
        failure
    }

    /// Something that is forbidden by another server.
    pub(crate) fn forbidden_because(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// A forbidden create in a namespace that is going away.
    pub(crate) fn namespace_terminating(resource: &Resource, name: &str, namespace: &str) -> Self {
        let why = format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        );
        let mut failure = Self::forbidden(resource, name, &why);
        if let Some(Value::Object(details)) = failure.details.as_deref_mut() {
            let cause = json!({
                "reason": "NamespaceTerminating",
                "message": format!("namespace {namespace} is being terminated"),
                "field": "metadata.namespace"
            });
            details.insert("causes".into(), json!([cause]));
        }
        failure
    }

    pub(crate) fn method_not_allowed() -> Self {
        let mut failure = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        );
        failure.details = Some(Box::new(json!({})));
        failure
    }

    /// None of the forms that the client accepts is one that this server has.
    pub(crate) fn not_acceptable() -> Self {
        let message = format!("406: Not Acceptable\n\nAvailable representations: {MEDIA_TYPES}");
        let mut failure = Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message);
        failure.details = Some(Box::new(json!({})));
        failure
    }

    /// The media type is known, but not the view of the object in it.
    pub(crate) fn no_such_view() -> Self {
        let message = format!("only the following media types are accepted: {MEDIA_TYPES}");
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
    }

    /// The metadata of one object, where there is a list.
    pub(crate) fn view_of_a_list(kind: &str) -> Self {
        let message = format!(
            "you requested PartialObjectMetadata, but the requested object is a list (*core.{kind}List)"
        );
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
    }

    pub(crate) fn unsupported_media_type(accepted: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format - accepted media types include: {accepted}"
            ),
        )
    }

    /// A patch in none of the forms.
    pub(crate) fn unsupported_patch() -> Self {
        let message = "415: Unsupported Media Type";
        let mut failure =
            Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message);
        failure.details = Some(Box::new(json!({})));
        failure
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::too_large_because(&format!("limit is {limit}"))
    }

    fn too_large_because(why: &str) -> Self {
        let message = format!("Request entity too large: {why}");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message)
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "Expired", message)
    }

    /// The list that a piece is asked of is gone; its rest can be had as it is now, by another token.
    pub(crate) fn continue_expired(token: &str) -> Self {
        let mut failure = Self::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        );
        token.clone_into(&mut failure.token);
        failure
    }

    pub(crate) fn too_large_revision(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let mut failure = Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message);
        failure.details = Some(Box::new(json!({
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1
        })));
        failure
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
    }

    pub(crate) fn internal(error: impl Display) -> Self {
        let message = format!("Internal error occurred: {error}");
        let mut failure = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message);
        failure.details = Some(Box::new(json!({"causes": [{"message": error.to_string()}]})));
        failure
    }

    /// A failure without a reason of its own, which the real server answers with 500.
    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
    }

    /// The object of the answer.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        });
        if let Value::Object(map) = &mut status {
            if !self.token.is_empty() {
                map.insert("metadata".into(), json!({"continue": self.token}));
            }
            if !self.reason.is_empty() {
                map.insert("reason".into(), self.reason.into());
            }
            if let Some(details) = &self.details {
                map.insert("details".into(), Value::clone(details));
            }
            map.insert("code".into(), self.code.as_u16().into());
        }
        status
    }
}
