//! Paths of the API.

use crate::resources::{Registry, Resource};

/// What a path leads to.
pub(crate) enum Route {
    /// `/healthz` and its like, open to everybody.
    Health,
    Version,
    /// The index of OpenAPI documents, or one of them.
    OpenApi(String),
    OldOpenApi,
    /// Discovery: the versions of the core group, the groups, one group, the resources of one version.
    CoreVersions,
    Groups,
    Group(String),
    Resources {
        group: String,
        version: String,
    },
    Objects(Target),
    /// Something that is computed and never stored, such as `selfsubjectaccessreviews`, and its namespace, if it is in one.
    Review(&'static Review, String),
    Unknown,
}

/// What is asked for by sending an object that is answered and never stored.
#[derive(Debug)]
pub(crate) struct Review {
    pub(crate) group: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespaced: bool,
}

const fn review(group: &'static str, plural: &'static str, kind: &'static str) -> Review {
    Review { group, plural, kind, namespaced: false }
}

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

/// The reviews that there are, in the order of discovery.
pub(crate) static REVIEWS: [Review; 6] = [
    review(AUTHENTICATION, "selfsubjectreviews", "SelfSubjectReview"),
    review(AUTHENTICATION, "tokenreviews", "TokenReview"),
    Review {
        namespaced: true,
        ..review(AUTHORIZATION, "localsubjectaccessreviews", "LocalSubjectAccessReview")
    },
    review(AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    review(AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    review(AUTHORIZATION, "subjectaccessreviews", "SubjectAccessReview"),
];

/// A collection, an object or a part of one.
pub(crate) struct Target {
    pub(crate) resource: &'static Resource,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
    /// Whether the path itself asks for a watch, as old clients do.
    pub(crate) watched: bool,
    /// What follows the subresource, with the slash it starts with.
    pub(crate) rest: String,
}

/// Reads a path, still with its percent signs.
pub(crate) fn parse(path: &str, registry: &'static Registry) -> Route {
    let parts: Vec<&str> = path.split('/').skip(1).filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["healthz" | "readyz" | "livez", ..] => Route::Health,
        ["version"] => Route::Version,
        ["openapi", "v2"] => Route::OldOpenApi,
        ["openapi", "v3", rest @ ..] => Route::OpenApi(rest.join("/")),
        ["api"] => Route::CoreVersions,
        ["apis"] => Route::Groups,
        ["apis", group] => Route::Group((*group).to_owned()),
        ["api", version] => {
            Route::Resources { group: String::new(), version: (*version).to_owned() }
        }
        ["apis", group, version] => {
            Route::Resources { group: (*group).to_owned(), version: (*version).to_owned() }
        }
        ["api", version, rest @ ..] => objects("", version, rest, path, registry),
        ["apis", group, version, rest @ ..] => objects(group, version, rest, path, registry),
        _ => Route::Unknown,
    }
}

fn objects(
    group: &str,
    version: &str,
    parts: &[&str],
    path: &str,
    registry: &'static Registry,
) -> Route {
    let (watched, parts) = match parts {
        ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
        _ => (false, parts),
    };
    let (namespace, parts) = match parts {
        // A namespace itself and its own parts; everything else after it is inside of it.
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => (None, parts),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        _ => (None, parts),
    };
    let Some((plural, parts)) = parts.split_first() else {
        return Route::Unknown;
    };
    if let Some(review) = REVIEWS.iter().find(|it| it.group == group && it.plural == *plural)
        && version == "v1"
        && parts.is_empty()
        && review.namespaced == namespace.is_some()
    {
        return Route::Review(review, namespace.map(decode).unwrap_or_default());
    }
    let Some(resource) = registry.find(group, version, plural) else {
        return Route::Unknown;
    };
    if namespace.is_some() != resource.namespaced && (namespace.is_some() || !parts.is_empty()) {
        return Route::Unknown;
    }
    let subresource = parts.get(1).copied();
    if watched && subresource.is_some() {
        return Route::Unknown;
    }
    let rest = subresource.map(|_| after(path, namespace.is_some(), group)).unwrap_or_default();
    if !has_subresource(resource, subresource) || (!rest.is_empty() && subresource != Some("proxy"))
    {
        return Route::Unknown;
    }
    Route::Objects(Target {
        resource,
        namespace: namespace.map(decode),
        name: parts.first().map(|name| decode(name)),
        subresource: subresource.map(str::to_owned),
        watched,
        rest,
    })
}

/// The path after the subresource exactly as it was sent: empty segments and escapes belong to whom it is forwarded to.
fn after(path: &str, namespaced: bool, group: &str) -> String {
    // api/v1 or apis/group/version, then namespaces/name, then plural/name/subresource.
    let segments = if group.is_empty() { 2 } else { 3 } + if namespaced { 2 } else { 0 } + 3;
    let mut rest = path;
    for _ in 0..segments {
        rest = rest.trim_start_matches('/');
        rest = rest.find('/').map_or("", |at| &rest[at..]);
    }
    rest.to_owned()
}

/// A part of a path as it is meant.
pub(crate) fn decode(part: &str) -> String {
    if !part.contains('%') {
        return part.to_owned();
    }
    // Only a form decoder is at hand; these are themselves in a path.
    let escaped = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

fn has_subresource(resource: &Resource, subresource: Option<&str>) -> bool {
    match (resource.plural, subresource) {
        (_, Some("status")) => resource.status,
        (_, Some("scale")) => resource.scale,
        (_, None)
        | (
            "pods",
            Some(
                "binding"
                | "log"
                | "proxy"
                | "eviction"
                | "ephemeralcontainers"
                | "exec"
                | "attach"
                | "portforward",
            ),
        )
        | ("services", Some("proxy"))
        | ("serviceaccounts", Some("token"))
        | ("namespaces", Some("finalize")) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Route, parse};
    use crate::resources::Registry;

    fn describe(path: &str) -> String {
        match parse(path, Registry::global()) {
            Route::Objects(target) => format!(
                "{} {} {} {} {}",
                target.resource.qualified(),
                target.namespace.as_deref().unwrap_or("-"),
                target.name.as_deref().unwrap_or("-"),
                target.subresource.as_deref().unwrap_or("-"),
                target.rest
            ),
            Route::Review(review, namespace) => format!("{} {namespace}", review.plural),
            Route::Unknown => "unknown".to_owned(),
            _ => "other".to_owned(),
        }
    }

    #[test]
    fn each_form_of_path_is_understood() {
        for (path, expected) in [
            ("/api/v1/pods", "pods - - - "),
            ("/api/v1/namespaces", "namespaces - - - "),
            ("/api/v1/namespaces/a", "namespaces - a - "),
            ("/api/v1/namespaces/a/status", "namespaces - a status "),
            ("/api/v1/namespaces/a/finalize", "namespaces - a finalize "),
            ("/api/v1/namespaces/a/pods/b", "pods a b - "),
            ("/api/v1/namespaces/a/pods/b/log", "pods a b log "),
            ("/api/v1/namespaces/a/pods/b/log/x", "unknown"),
            ("/api/v1/watch/namespaces/a/pods/b", "pods a b - "),
            ("/api/v1/watch/namespaces/a/pods/b/log", "unknown"),
            ("/api/v1/watch", "unknown"),
            ("/api/v1/namespaces/a/pods/b%20c&d=e+f", "pods a b c&d=e+f - "),
            (
                "/api/v1/namespaces/a/services/http:b:8081/proxy/jobs//x%20y",
                "services a http:b:8081 proxy /jobs//x%20y",
            ),
            ("/api/v1/namespaces/a/services/b/proxy/", "services a b proxy /"),
            (
                "/api/v1/namespaces/proxy/services/proxy/proxy/proxy",
                "services proxy proxy proxy /proxy",
            ),
            ("/apis/apps/v1/namespaces/a/deployments/b/scale", "deployments.apps a b scale "),
            ("/apis/apps/v2/namespaces/a/deployments/b", "unknown"),
            ("/api/v1/pods/b", "unknown"),
            ("/api/v1/namespaces/a/nodes/b", "unknown"),
            ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "selfsubjectaccessreviews "),
            (
                "/apis/authorization.k8s.io/v1/namespaces/a/localsubjectaccessreviews",
                "localsubjectaccessreviews a",
            ),
            ("/apis/authorization.k8s.io/v1/localsubjectaccessreviews", "unknown"),
            ("/metrics", "unknown"),
        ] {
            assert_eq!(describe(path), expected, "{path}");
        }
    }
}
