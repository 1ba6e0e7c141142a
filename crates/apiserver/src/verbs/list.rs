//! List, in pieces if the client wants it so.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    api::{Answer, Api, List},
    failure::{Cause, Failure},
    request::Call,
    selector::Selector,
    storage::Entry,
};

/// Where the next piece of a list begins, and which state it is a piece of.
#[derive(Serialize, Deserialize)]
struct Continue {
    /// -1 stands for whatever is now.
    #[serde(rename = "rv")]
    revision: i64,
    #[serde(rename = "start")]
    after: String,
}

/// GET of a collection.
pub(super) fn list(api: &Api, call: &Call) -> Result<Answer, Failure> {
    let resource = call.target.resource;
    let selector = selector(call)?;
    let limit = call
        .query
        .number("limit")?
        .filter(|limit| *limit > 0)
        .and_then(|limit| usize::try_from(limit).ok());
    let token = call.query.text("continue").map(parse_continue).transpose()?;
    let namespace = call.target.namespace.as_deref();
    let (mut entries, revision) = match &token {
        Some(_) if call.query.text("resourceVersion").is_some_and(|asked| asked != "0") => {
            let why = "specifying resource version is not allowed when using continue";
            return Err(Failure::bad_request(why));
        }
        // What is left of it, as it is now: the client agreed to that.
        Some(Continue { revision: -1, .. }) => api.store.list(resource.id, namespace),
        Some(token) => {
            let revision = token.revision.unsigned_abs();
            check_reached(api, revision)?;
            let entries = api.store.list_at(resource.id, namespace, revision).map_err(|_| {
                let rest = Continue { revision: -1, after: token.after.clone() };
                Failure::continue_expired(&render_continue(&rest))
            })?;
            (entries, revision)
        }
        None => first_piece(api, call)?,
    };
    if let Some(token) = &token {
        entries.retain(|(key, _)| **key > *token.after);
    }
    entries.retain(|(_, object)| selector.matches(object));
    let mut next = String::new();
    let mut remaining = None;
    if let Some(limit) = limit.filter(|limit| entries.len() > *limit) {
        let left = entries.len() - limit;
        // With a selector the real server does not know how many are left.
        remaining = (!has_selector(call)).then_some(left);
        entries.truncate(limit);
        if let Some((key, _)) = entries.last() {
            let revision = i64::try_from(revision).unwrap_or(i64::MAX);
            next = render_continue(&Continue { revision, after: key.to_string() });
        }
    }
    Ok(Answer::List(List { resource, entries, revision, next, remaining }))
}

fn has_selector(call: &Call) -> bool {
    call.query.text("labelSelector").is_some() || call.query.text("fieldSelector").is_some()
}

/// The selector of a request.
pub(super) fn selector(call: &Call) -> Result<Selector, Failure> {
    Selector::parse(
        call.target.resource,
        call.query.text("labelSelector"),
        call.query.text("fieldSelector"),
    )
}

/// The list from its beginning, at the revision that was asked for.
fn first_piece(api: &Api, call: &Call) -> Result<(Vec<Entry>, u64), Failure> {
    let resource = call.target.resource;
    let namespace = call.target.namespace.as_deref();
    let asked = call.query.text("resourceVersion").unwrap_or("0");
    let matching = call.query.text("resourceVersionMatch");
    check_match(call, matching)?;
    let wanted = parse_revision(asked).map_err(|problem| {
        Failure::bad_request(format!("invalid resource version: resourceVersion: {problem}"))
    })?;
    // A piece of a list at a revision is one of that very revision.
    let piece = matching.is_none() && wanted > 0 && call.query.text("limit").is_some();
    if matching == Some("Exact") || piece {
        check_reached(api, wanted)?;
        let entries = api.store.list_at(resource.id, namespace, wanted).map_err(|_| {
            Failure::expired("The resourceVersion for the provided list is too old.")
        })?;
        return Ok((entries, wanted));
    }
    check_reached(api, wanted)?;
    Ok(api.store.list(resource.id, namespace))
}

fn check_reached(api: &Api, wanted: u64) -> Result<(), Failure> {
    let revision = api.store.revision();
    if wanted > revision { Err(Failure::too_large_revision(wanted, revision)) } else { Ok(()) }
}

fn check_match(call: &Call, matching: Option<&str>) -> Result<(), Failure> {
    let mut causes = Vec::new();
    match (matching, call.query.text("resourceVersion")) {
        (None, _) | (Some("NotOlderThan"), Some(_)) => {}
        (Some("Exact"), Some(revision)) if revision != "0" => {}
        (Some("Exact"), Some(_)) => causes.push(Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        )),
        (Some("Exact" | "NotOlderThan"), None) => causes.push(Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        )),
        (Some(other), _) => causes.push(Cause::unsupported(
            "resourceVersionMatch",
            &other.into(),
            &["Exact", "NotOlderThan", ""],
        )),
    }
    if call.query.text("sendInitialEvents").is_some() {
        let detail = "sendInitialEvents is forbidden for list";
        causes.push(Cause::forbidden("sendInitialEvents", detail));
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid_kind("meta.k8s.io", "ListOptions", "", &causes))
}

/// Reads a `resourceVersion`; an error is in the words of the real server.
pub(super) fn parse_revision(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        format!("Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax")
    })
}

fn parse_continue(token: &str) -> Result<Continue, Failure> {
    let invalid = || {
        let why =
            "invalid continue token: continue key is not valid: it was not made by this server";
        Failure::bad_request(why)
    };
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    serde_json::from_slice(&bytes).map_err(|_| invalid())
}

fn render_continue(token: &Continue) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(token).unwrap_or_default())
}

/// All entries that a request for a collection selects.
pub(super) fn selected(api: &Arc<Api>, call: &Call) -> Result<Vec<Entry>, Failure> {
    let selector = selector(call)?;
    let (mut entries, _) =
        api.store.list(call.target.resource.id, call.target.namespace.as_deref());
    entries.retain(|(_, object)| selector.matches(object));
    Ok(entries)
}
