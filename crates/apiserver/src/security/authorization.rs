//! What a user may do: every request passes here once, before anything else of it is looked at.

use super::{User, rbac::Verdict};
use crate::{
    api::Api,
    failure::Failure,
    request::{Attributes, Wanted},
};

/// Refuses what the user may not do.
///
/// # Errors
/// If it is not allowed; told as the real server tells it.
pub(crate) fn check(api: &Api, user: &User, attributes: &Attributes) -> Result<(), Failure> {
    api.roles.look(&api.store, |policy| match policy.judge(user, attributes) {
        Verdict::Allowed(_) => Ok(()),
        denied @ Verdict::Denied(_) => Err(refusal(user, attributes, &denied.reason())),
    })
}

/// Whether the user may do something else than what the request itself does.
pub(crate) fn allows(api: &Api, user: &User, attributes: &Attributes) -> bool {
    api.roles.look(&api.store, |policy| policy.judge(user, attributes).is_allowed())
}

fn refusal(user: &User, attributes: &Attributes, reason: &str) -> Failure {
    let (name, verb) = (&user.name, &attributes.verb);
    let why = match &attributes.wanted {
        Wanted::Path(path) => format!("User {name:?} cannot {verb} path {path:?}"),
        Wanted::Resource(it) => {
            let part = if it.subresource.is_empty() { "" } else { "/" };
            let resource = [&it.plural, part, &it.subresource].concat();
            let what = format!("User {name:?} cannot {verb} resource {resource:?} in API group");
            match it.namespace.as_str() {
                "" => format!("{what} {:?} at the cluster scope", it.group),
                namespace => format!("{what} {:?} in the namespace {namespace:?}", it.group),
            }
        }
    };
    let mut why = why.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    if !reason.is_empty() {
        why = format!("{why}: {reason}");
    }
    Failure::denied(&attributes.wanted, &why)
}
