//! Delete: at once, after a grace period, or when the last finalizer is gone.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use serde_json::{Value, json};

use super::{body, list, metadata, write};
use crate::{
    api::{Answer, Api, List},
    clock,
    failure::{Cause, Failure},
    request::{Call, options},
    resources::{Habit, Resource},
    storage::{Change, CommitError, Object},
};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Namespaces that stay for as long as the cluster.
const LASTING: [&str; 3] = ["default", "kube-system", "kube-public"];

/// What the client asked for beside the deletion itself.
#[derive(Debug, Default)]
struct Options {
    grace_seconds: Option<i64>,
    propagation: Option<String>,
    uid: Option<String>,
    revision: Option<String>,
    dry_run: bool,
}

/// What became of one object.
enum Outcome {
    Removed(Arc<Object>),
    /// It stays until its grace period is over or its finalizers are gone.
    Marked(Arc<Object>),
}

/// DELETE of one object.
pub(super) async fn delete(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let options = read_options(call, request).await?;
    let resource = call.target.resource;
    if resource.plural == "namespaces" && LASTING.contains(&call.name()) {
        let why = "this namespace may not be deleted";
        return Err(Failure::forbidden(resource, call.name(), why));
    }
    let outcome = delete_one(api, resource, &call.key(), call.name(), &options).await?;
    Ok(match outcome {
        Outcome::Marked(object) => Answer::Object(resource, StatusCode::OK, object),
        Outcome::Removed(object) if resource.has(Habit::ReturnedWhenDeleted) => {
            Answer::Object(resource, StatusCode::OK, object)
        }
        Outcome::Removed(object) => {
            Answer::Value(StatusCode::OK, success(resource, call.name(), &object))
        }
    })
}

fn success(resource: &Resource, name: &str, object: &Object) -> Value {
    let mut details = json!({"name": name, "kind": resource.plural, "uid": metadata::text(&object.value(), "uid")});
    if !resource.group.is_empty() {
        details["group"] = resource.group.into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// DELETE of all objects that a selector selects.
pub(super) async fn delete_collection(
    api: &Arc<Api>,
    call: &Call,
    request: Request<Body>,
) -> Result<Answer, Failure> {
    let options = read_options(call, request).await?;
    let resource = call.target.resource;
    let mut entries = Vec::new();
    for (key, object) in list::selected(api, call)? {
        let name = key.rsplit('/').next().unwrap_or_default();
        match delete_one(api, resource, &key, name, &options).await {
            // The list is told as it was before.
            Ok(_) => entries.push((key, object)),
            Err(failure) if failure.code == StatusCode::NOT_FOUND => {}
            Err(failure) => return Err(failure),
        }
    }
    let revision = api.store.revision();
    Ok(Answer::List(List { resource, entries, revision, next: String::new(), remaining: None }))
}

/// Deletes one object by options that were read.
pub(super) async fn delete_with(
    api: &Api,
    call: &Call,
    options: &DeleteOptions,
) -> Result<(), Failure> {
    let options = check_options(options)?;
    delete_one(api, call.target.resource, &call.key(), call.name(), &options).await.map(drop)
}

async fn read_options(call: &Call, request: Request<Body>) -> Result<Options, Failure> {
    let bytes = body::read(request.into_body()).await?;
    // Options in a body stand for all options.
    let options =
        if bytes.is_empty() { options_in_query(call)? } else { options_in_body(call, &bytes)? };
    check_options(&options)
}

/// What cannot be read the real server takes for a failure of its own; nothing is deleted by it.
fn options_in_body(call: &Call, bytes: &[u8]) -> Result<DeleteOptions, Failure> {
    let unreadable =
        |problem: String| Failure::unknown(format!("could not read DeleteOptions: {problem}"));
    let body = body::decode(call.content_type(), bytes)?.map_err(unreadable)?;
    let kind = body.get("kind").and_then(Value::as_str).unwrap_or_default();
    if !["", "DeleteOptions"].contains(&kind) {
        return Err(Failure::unknown(format!("no kind \"{kind}\" can say how to delete")));
    }
    let options: Option<DeleteOptions> =
        serde_json::from_value(body).map_err(|error| unreadable(error.to_string()))?;
    Ok(options.unwrap_or_default())
}

fn options_in_query(call: &Call) -> Result<DeleteOptions, Failure> {
    let text = |name: &str| call.query.text(name).map(str::to_owned);
    Ok(DeleteOptions {
        dry_run: text("dryRun").map(|value| vec![value]),
        grace_period_seconds: call.query.number("gracePeriodSeconds")?,
        orphan_dependents: text("orphanDependents").map(|_| call.query.flag("orphanDependents")),
        propagation_policy: text("propagationPolicy"),
        ..DeleteOptions::default()
    })
}

fn check_options(asked: &DeleteOptions) -> Result<Options, Failure> {
    let invalid =
        |cause: Cause| Failure::invalid_kind("meta.k8s.io", "DeleteOptions", "", &[cause]);
    let orphan = asked.orphan_dependents;
    if let (Some(policy), Some(_)) = (&asked.propagation_policy, orphan) {
        let detail = "orphanDependents and deletionPropagation cannot be both set";
        return Err(invalid(Cause::invalid("propagationPolicy", &policy.as_str().into(), detail)));
    }
    let propagation = asked
        .propagation_policy
        .clone()
        .or_else(|| orphan.map(|orphan| if orphan { "Orphan" } else { "Background" }.to_owned()));
    if let Some(policy) = propagation
        .as_deref()
        .filter(|policy| !matches!(*policy, "Orphan" | "Background" | "Foreground"))
    {
        let supported = ["Foreground", "Background", "Orphan", "nil"];
        return Err(invalid(Cause::unsupported("propagationPolicy", &policy.into(), &supported)));
    }
    let dry_run = asked.dry_run.clone().unwrap_or_default();
    if let Some(cause) = options::dry_run_cause(&dry_run.as_slice().into()) {
        return Err(invalid(cause));
    }
    let preconditions = asked.preconditions.clone().unwrap_or_default();
    Ok(Options {
        grace_seconds: asked.grace_period_seconds,
        propagation,
        uid: preconditions.uid,
        revision: preconditions.resource_version,
        dry_run: !dry_run.is_empty(),
    })
}

async fn delete_one(
    api: &Api,
    resource: &'static Resource,
    key: &str,
    name: &str,
    options: &Options,
) -> Result<Outcome, Failure> {
    let mut marked: Option<Arc<Object>> = None;
    loop {
        let Some(stored) = api.store.get(resource.id, key) else {
            // Once it is marked, others may be faster to remove it.
            let removed = marked.map(Outcome::Removed);
            return removed.ok_or_else(|| Failure::not_found(resource, name));
        };
        let old = stored.value();
        // The mark of this very deletion does not speak against it.
        if marked.as_ref().is_none_or(|marked| marked.revision != stored.revision) {
            check_preconditions(resource, name, &old, options)?;
        }
        let new = mark(resource, &old, options, clock::now());
        let ends = write::vanishes(&new);
        // Where there is a grace everybody sees the mark, also one of no time at all.
        let graceful = resource.rules.grace_period(&old, options.grace_seconds).is_some();
        let delete = ends && (!graceful || new == old);
        if options.dry_run || (!delete && new == old) {
            return Ok(if ends { Outcome::Removed(stored) } else { Outcome::Marked(stored) });
        }
        // What watchers get as the last state of an object that vanishes at once is the object as it was.
        let object = if delete { old.clone() } else { new };
        let change = Change {
            resource: resource.id,
            key: key.to_owned(),
            based_on: Some(stored.revision),
            object,
            delete,
        };
        let made = || {
            if delete && resource.plural == "services" {
                api.allocation.release(&old, None);
            }
        };
        match api.store.commit(vec![change], made).await {
            Ok(objects) => {
                if ends && !delete {
                    marked = objects.into_iter().next();
                    continue;
                }
                let object = objects.into_iter().next().unwrap_or(stored);
                return Ok(if delete { Outcome::Removed(object) } else { Outcome::Marked(object) });
            }
            Err(CommitError::Stale) => {}
            Err(error) => return Err(Failure::unknown(error.to_string())),
        }
    }
}

fn check_preconditions(
    resource: &Resource,
    name: &str,
    old: &Value,
    options: &Options,
) -> Result<(), Failure> {
    let uid = metadata::text(old, "uid");
    if let Some(asked) = options.uid.as_deref().filter(|asked| *asked != uid) {
        let why = format!(
            "the UID in the precondition ({asked}) does not match the UID in record ({uid}). The object might have been deleted and then recreated"
        );
        return Err(Failure::conflict_of(resource.kind, name, &why));
    }
    let revision = metadata::text(old, "resourceVersion");
    if let Some(asked) = options.revision.as_deref().filter(|asked| *asked != revision) {
        let why = format!(
            "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record ({revision}). The object might have been modified"
        );
        return Err(Failure::conflict_of(resource.kind, name, &why));
    }
    Ok(())
}

/// The object as its deletion leaves it: marked with its time and its grace, with the finalizers of the propagation.
fn mark(resource: &Resource, old: &Value, options: &Options, now: Timestamp) -> Value {
    let mut new = old.clone();
    set_propagation(&mut new, options);
    let grace = resource.rules.grace_period(old, options.grace_seconds).unwrap_or(0);
    let current = old.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64);
    if metadata::is_deleting(old) {
        // A second deletion may only shorten the time that the first one gave.
        if current.is_none_or(|current| grace >= current) {
            return new;
        }
    }
    let since = match old
        .pointer("/metadata/deletionTimestamp")
        .and_then(Value::as_str)
        .map(str::parse::<Timestamp>)
    {
        // The end moves to the start of the first period plus the new one.
        Some(Ok(end)) => {
            end.saturating_sub(SignedDuration::from_secs(current.unwrap_or(0))).unwrap_or(now)
        }
        _ => now,
    };
    let end = since.saturating_add(SignedDuration::from_secs(grace)).unwrap_or(now);
    let metadata = metadata::of(&mut new);
    metadata.insert("deletionTimestamp".into(), clock::render(end).into());
    metadata.insert("deletionGracePeriodSeconds".into(), grace.into());
    metadata::count_generation(resource, &mut new, old);
    if resource.plural == "namespaces" {
        new["status"]["phase"] = "Terminating".into();
    }
    new
}

fn set_propagation(object: &mut Value, options: &Options) {
    let wanted = match options.propagation.as_deref() {
        Some("Foreground") => Some(FOREGROUND),
        Some("Orphan") => Some(ORPHAN),
        // Without a word about it, finalizers that are there already decide.
        Some(_) => None,
        None => return,
    };
    let mut finalizers: Vec<String> = metadata::finalizers(object)
        .into_iter()
        .filter(|name| *name != FOREGROUND && *name != ORPHAN)
        .map(str::to_owned)
        .collect();
    finalizers.extend(wanted.map(str::to_owned));
    let metadata = metadata::of(object);
    if finalizers.is_empty() {
        metadata.shift_remove("finalizers");
    } else {
        metadata.insert("finalizers".into(), finalizers.into());
    }
}
