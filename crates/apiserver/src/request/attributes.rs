//! What a request is about to do, in the words of access rules: read from its method and its path alone, so that what
//! somebody may not do is refused before it is looked whether there is such a thing.

use http::Method;

use super::{Query, path::decode};
use crate::selector::fields;

/// What somebody wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) verb: String,
    pub(crate) wanted: Wanted,
}

/// With what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Objects of the API, stored or answered.
    Resource(Resource),
    /// Any other path.
    Path(String),
}

/// Objects of a kind, one of them or a part of it; what is not named is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) group: String,
    pub(crate) plural: String,
    pub(crate) subresource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Attributes {
    /// What a request with this method, path and query is about to do.
    pub(crate) fn of(method: &Method, path: &str, query: &Query) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let objects = match parts.as_slice() {
            ["api", _, rest @ ..] if !rest.is_empty() => Some(("", rest)),
            ["apis", group, _, rest @ ..] if !rest.is_empty() => Some((*group, rest)),
            _ => None,
        };
        match objects {
            Some((group, rest)) => of_objects(method, group, rest, query),
            None => Self {
                verb: method.as_str().to_ascii_lowercase(),
                wanted: Wanted::Path(decode(path)),
            },
        }
    }

    /// The same with another verb.
    pub(crate) fn with_verb(&self, verb: &str) -> Self {
        Self { verb: verb.to_owned(), wanted: self.wanted.clone() }
    }

    /// The namespace; an empty one for what is in none.
    pub(crate) fn namespace(&self) -> &str {
        match &self.wanted {
            Wanted::Resource(resource) => &resource.namespace,
            Wanted::Path(_) => "",
        }
    }
}

fn of_objects(method: &Method, group: &str, parts: &[&str], query: &Query) -> Attributes {
    let (prefix, parts) = match parts {
        [verb @ ("watch" | "proxy"), rest @ ..] => (Some(*verb), rest),
        _ => (None, parts),
    };
    // A namespace is in itself, so that its own roles can give it.
    let (namespace, parts) = match parts {
        ["namespaces", namespace] | ["namespaces", namespace, "status" | "finalize", ..] => {
            (*namespace, parts)
        }
        ["namespaces", namespace, rest @ ..] => (*namespace, rest),
        _ => ("", parts),
    };
    let part = |position: usize| parts.get(position).copied().unwrap_or_default();
    let mut resource = Resource {
        group: group.to_owned(),
        plural: part(0).to_owned(),
        subresource: if prefix == Some("proxy") { String::new() } else { part(2).to_owned() },
        namespace: decode(namespace),
        name: decode(part(1)),
    };
    let mut verb = prefix.unwrap_or_else(|| verb_of(method));
    match verb {
        "get" if resource.name.is_empty() => {
            verb = if query.flag("watch") { "watch" } else { "list" };
            resource.name = selected_name(query);
        }
        "delete" if resource.name.is_empty() => verb = "deletecollection",
        _ => {}
    }
    Attributes { verb: verb.to_owned(), wanted: Wanted::Resource(resource) }
}

fn verb_of(method: &Method) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::GET | Method::HEAD => "get",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "",
    }
}

/// The one name that a field selector allows: who may only see one object may list and watch it so.
fn selected_name(query: &Query) -> String {
    let selector = query.text("fieldSelector").unwrap_or_default();
    let name = fields::only_name(selector).unwrap_or_default();
    if name.contains(['/', '%']) || matches!(&*name, "." | "..") { String::new() } else { name }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{Attributes, Wanted};
    use crate::request::Query;

    fn told(method: &Method, path: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let Attributes { verb, wanted } = Attributes::of(method, path, &Query::parse(Some(query)));
        match wanted {
            Wanted::Path(path) => format!("{verb} {path}"),
            Wanted::Resource(it) => {
                let part = |text: &str| if text.is_empty() { "-".to_owned() } else { text.into() };
                let parts = [&it.group, &it.plural, &it.subresource, &it.namespace, &it.name];
                format!("{verb} {}", parts.map(|text| part(text)).join(" "))
            }
        }
    }

    #[test]
    fn a_request_is_told_as_the_rules_name_it() {
        let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
        for (method, path, expected) in [
            (&get, "/api/v1/pods", "list - pods - - -"),
            (&get, "/api/v1/pods?watch=1", "watch - pods - - -"),
            (&get, "/api/v1/pods?watch=false", "list - pods - - -"),
            (&get, "/api/v1/namespaces/a/pods/b?watch=true", "get - pods - a b"),
            (&Method::HEAD, "/api/v1/namespaces/a/pods/b", "get - pods - a b"),
            (&get, "/api/v1/namespaces/a/pods/b/log", "get - pods log a b"),
            (&post, "/api/v1/namespaces/a/pods/b/exec", "create - pods exec a b"),
            (&get, "/api/v1/namespaces/a/pods/b/exec", "get - pods exec a b"),
            (
                &get,
                "/api/v1/namespaces/a/services/http:b:80/proxy/x/y",
                "get - services proxy a http:b:80",
            ),
            (&Method::OPTIONS, "/api/v1/namespaces/a/services/b/proxy/", " - services proxy a b"),
            (&post, "/apis/apps/v1/namespaces/a/deployments", "create apps deployments - a -"),
            (
                &Method::PATCH,
                "/apis/apps/v1/namespaces/a/deployments/b/scale",
                "patch apps deployments scale a b",
            ),
            (
                &Method::DELETE,
                "/apis/apps/v1/namespaces/a/deployments",
                "deletecollection apps deployments - a -",
            ),
            (
                &Method::DELETE,
                "/apis/apps/v1/namespaces/a/deployments/b",
                "delete apps deployments - a b",
            ),
            (&get, "/api/v1/namespaces", "list - namespaces - - -"),
            (&get, "/api/v1/namespaces/a", "get - namespaces - a a"),
            (&put, "/api/v1/namespaces/a/finalize", "update - namespaces finalize a a"),
            (&get, "/api/v1/watch/namespaces/a/pods/b", "watch - pods - a b"),
            (&get, "/api/v1/proxy/namespaces/a/pods/b/c", "proxy - pods - a b"),
            (
                &get,
                "/api/v1/secrets?fieldSelector=metadata.name%3Da,type%3Db",
                "list - secrets - - a",
            ),
            (
                &get,
                "/api/v1/secrets?fieldSelector=type!%3Dx%5C,metadata.name%3Da",
                "list - secrets - - -",
            ),
            (
                &get,
                "/api/v1/secrets?fieldSelector=metadata.name%3Da%5C,b",
                "list - secrets - - a,b",
            ),
            (&get, "/api/v1/secrets?fieldSelector=metadata.name%3Da,x", "list - secrets - - -"),
            (
                &get,
                "/api/v1/secrets?fieldSelector=type%3Db,metadata.name%3D%3Da",
                "list - secrets - - a",
            ),
            (&get, "/api/v1/secrets?fieldSelector=metadata.name!%3Da", "list - secrets - - -"),
            (&get, "/api/v1/namespaces/a/configmaps/b%20c", "get - configmaps - a b c"),
            (&get, "/apis/none/v9/things/a", "get none things - - a"),
            (&get, "/api/v1", "get /api/v1"),
            (&get, "/apis/apps/v1", "get /apis/apps/v1"),
            (&post, "/metrics/a%20b", "post /metrics/a b"),
            (&Method::HEAD, "/", "head /"),
        ] {
            assert_eq!(told(method, path), expected, "{method} {path}");
        }
    }
}
