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
    #[serde(rename = "rv")]
    revision: u64,
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
        Some(token) => {
            let entries = api.store.list_at(resource.id, namespace, token.revision).map_err(|_| {
                Failure::expired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.")
            })?;
            (entries, token.revision)
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
    let wanted: u64 = asked.parse().map_err(|_| invalid_revision(asked))?;
    let matching = call.query.text("resourceVersionMatch");
    check_match(matching, call.query.text("resourceVersion"))?;
    if matching == Some("Exact") {
        let entries = api.store.list_at(resource.id, namespace, wanted).map_err(|expired| {
            Failure::expired(format!(
                "The resourceVersion for the provided list is too old: {wanted} ({})",
                expired.oldest
            ))
        })?;
        return Ok((entries, wanted));
    }
    let (entries, revision) = api.store.list(resource.id, namespace);
    if wanted > revision {
        return Err(Failure::too_large_revision(wanted, revision));
    }
    Ok((entries, revision))
}

fn check_match(matching: Option<&str>, revision: Option<&str>) -> Result<(), Failure> {
    let cause = match (matching, revision) {
        (None, _) | (Some("NotOlderThan"), Some(_)) => return Ok(()),
        (Some("Exact"), Some(revision)) if revision != "0" => return Ok(()),
        (Some("Exact"), Some(_)) => Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        ),
        (Some("Exact" | "NotOlderThan"), None) => Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (Some(other), _) => Cause::unsupported(
            "resourceVersionMatch",
            &other.into(),
            &["Exact", "NotOlderThan", ""],
        ),
    };
    Err(Failure::invalid_kind("meta.k8s.io", "ListOptions", "", &[cause]))
}

/// The text of the real server for a `resourceVersion` that is no number.
pub(super) fn invalid_revision(text: &str) -> Failure {
    let cause = Cause::invalid(
        "resourceVersion",
        &text.into(),
        &format!("strconv.ParseUint: parsing \"{text}\": invalid syntax"),
    );
    Failure::invalid_kind("", "", "", &[cause])
}

fn parse_continue(token: &str) -> Result<Continue, Failure> {
    let invalid =
        || Failure::bad_request("continue key is not valid: it was not made by this server");
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
