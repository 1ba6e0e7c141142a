//! Questions about what somebody may do.

use serde_json::{Value, json};

use crate::{
    api::Api,
    failure::{Cause, Failure},
    request::{Attributes, Resource, Review, Wanted},
    security::{
        User,
        rbac::{Rule, Verdict},
    },
};

const GROUP: &str = "authorization.k8s.io";

/// The answer to a question about oneself or about another.
///
/// # Errors
/// If it does not say what it is about.
pub(super) fn access(
    api: &Api,
    user: &User,
    (review, namespace): (&Review, &str),
    asked: &Value,
) -> Result<Value, Failure> {
    let about_self = review.kind == "SelfSubjectAccessReview";
    let causes = causes(review, asked, about_self);
    if !causes.is_empty() {
        return Err(Failure::invalid_kind(GROUP, "", "", &causes));
    }
    let own = text(asked, "/metadata/namespace");
    if review.namespaced && own != namespace {
        let why =
            "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Failure::bad_request(why));
    }
    let user = if about_self { user.clone() } else { subject(asked) };
    let attributes = attributes(asked);
    let (allowed, reason) = api.roles.look(&api.store, |policy| {
        let verdict = policy.judge(&user, &attributes);
        (matches!(verdict, Verdict::Allowed(_)), verdict.reason())
    });
    let mut status = json!({"allowed": allowed});
    if !reason.is_empty() {
        status["reason"] = reason.into();
    }
    Ok(status)
}

/// Everything that the asker may do in a namespace.
///
/// # Errors
/// If none is named.
pub(super) fn rules(api: &Api, user: &User, asked: &Value) -> Result<Value, Failure> {
    let namespace = text(asked, "/spec/namespace");
    if namespace.is_empty() {
        return Err(Failure::bad_request("no namespace on request"));
    }
    let (rules, problems): (Vec<Rule>, Vec<String>) = api.roles.look(&api.store, |policy| {
        let (rules, problems) = policy.rules(user, namespace);
        (rules.into_iter().cloned().collect(), problems)
    });
    let (mut of_resources, mut of_paths) = (Vec::new(), Vec::new());
    for Rule { verbs, api_groups, resources, resource_names, paths } in rules {
        if !resources.is_empty() {
            let (verbs, paths) = (verbs.clone(), Vec::new());
            of_resources.push(json!(Rule { verbs, api_groups, resources, resource_names, paths }));
        }
        if !paths.is_empty() {
            of_paths.push(json!(Rule { verbs, paths, ..Rule::default() }));
        }
    }
    let mut status = json!({
        "resourceRules": of_resources, "nonResourceRules": of_paths, "incomplete": false,
    });
    match problems.as_slice() {
        [] => {}
        [one] => status["evaluationError"] = one.as_str().into(),
        many => status["evaluationError"] = format!("[{}]", many.join(", ")).into(),
    }
    Ok(status)
}

fn text<'a>(asked: &'a Value, pointer: &str) -> &'a str {
    asked.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn part<'a>(asked: &'a Value, name: &str) -> Option<&'a Value> {
    asked.get("spec")?.get(name).filter(|part| !part.is_null())
}

/// Everything that is wrong with a question.
fn causes(review: &Review, asked: &Value, about_self: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    let (of_resource, of_path) =
        (part(asked, "resourceAttributes"), part(asked, "nonResourceAttributes"));
    let told = || {
        let text = |field: &str| text(asked, &format!("/spec/nonResourceAttributes/{field}"));
        json!({"Path": text("path"), "Verb": text("verb")})
    };
    match (of_resource, of_path) {
        (Some(_), Some(_)) => {
            let detail = "cannot be specified in combination with resourceAttributes";
            causes.push(Cause::invalid("spec.nonResourceAttributes", &told(), detail));
        }
        (None, None) => {
            let detail =
                "exactly one of nonResourceAttributes or resourceAttributes must be specified";
            causes.push(Cause::invalid("spec.resourceAttributes", &Value::Null, detail));
        }
        _ => {}
    }
    let groups = asked.pointer("/spec/groups").and_then(Value::as_array);
    if !about_self && text(asked, "/spec/user").is_empty() && groups.is_none_or(Vec::is_empty) {
        let detail = "at least one of user or group must be specified";
        causes.push(Cause::invalid("spec.user", &"".into(), detail));
    }
    check_metadata(review, asked, &mut causes);
    if review.namespaced {
        let namespace = text(asked, "/spec/resourceAttributes/namespace");
        if of_resource.is_some() && namespace != text(asked, "/metadata/namespace") {
            let field = "spec.resourceAttributes.namespace";
            let detail = "must match metadata.namespace";
            causes.push(Cause::invalid(field, &namespace.into(), detail));
        }
        if of_path.is_some() {
            let detail = "disallowed on this kind of request";
            causes.push(Cause::invalid("spec.nonResourceAttributes", &told(), detail));
        }
    }
    causes
}

/// A question has no name or anything else of an object that is kept.
fn check_metadata(review: &Review, asked: &Value, causes: &mut Vec<Cause>) {
    let metadata = asked.get("metadata").and_then(Value::as_object);
    let extra = metadata.into_iter().flatten().any(|(field, value)| {
        let allowed = field == "managedFields"
            || (field == "namespace" && review.namespaced)
            || value.is_null();
        !allowed
    });
    if extra {
        let detail =
            if review.namespaced { "must be empty except for namespace" } else { "must be empty" };
        let metadata = asked.get("metadata").unwrap_or(&Value::Null);
        causes.push(Cause::invalid("metadata", metadata, detail));
    }
}

/// The one who is asked about, just as it is described.
fn subject(asked: &Value) -> User {
    let groups = asked.pointer("/spec/groups").and_then(Value::as_array).into_iter().flatten();
    User {
        name: text(asked, "/spec/user").to_owned(),
        uid: text(asked, "/spec/uid").to_owned(),
        groups: groups.filter_map(Value::as_str).map(str::to_owned).collect(),
        extra: Vec::new(),
    }
}

fn attributes(asked: &Value) -> Attributes {
    let (place, resource) = match part(asked, "resourceAttributes") {
        Some(_) => ("/spec/resourceAttributes", true),
        None => ("/spec/nonResourceAttributes", false),
    };
    let field = |name: &str| text(asked, &format!("{place}/{name}")).to_owned();
    let wanted = if resource {
        Wanted::Resource(Resource {
            group: field("group"),
            plural: field("resource"),
            subresource: field("subresource"),
            namespace: field("namespace"),
            name: field("name"),
        })
    } else {
        Wanted::Path(field("path"))
    };
    Attributes { verb: field("verb"), wanted }
}
