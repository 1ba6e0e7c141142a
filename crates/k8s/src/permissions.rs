use std::fmt;

use flumen_model::Namespace;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::{Api, api::PostParams};

use crate::{Cluster, Error};

/// Reviews that are under way at once; each takes a connection.
const AT_ONCE: usize = 4;

/// What Flumen does in a namespace that it runs jobs in: group, resource, subresource, verbs.
const NEEDED: [(&str, &str, &str, &[&str]); 11] = [
    ("apps", "deployments", "", &["get", "list", "watch", "create", "delete"]),
    ("", "pods", "", &["get", "list", "watch", "create", "delete"]),
    ("", "pods", "log", &["get"]),
    ("", "pods", "proxy", &["get"]),
    ("", "services", "", &["get", "list", "create"]),
    ("", "services", "proxy", &["get", "create", "update", "patch", "delete"]),
    ("", "configmaps", "", &["get", "list", "watch", "create", "delete"]),
    ("", "secrets", "", &["get", "create", "patch", "delete"]),
    ("", "events", "", &["list"]),
    ("", "serviceaccounts", "", &["get", "create", "patch"]),
    ("", "namespaces", "", &["get"]),
];

/// Something that one may be allowed to do in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The API group; empty for the core.
    pub group: String,
    /// The resource, for example `pods`.
    pub resource: String,
    /// The subresource, for example `log`; may be empty.
    pub subresource: String,
    /// The verb, for example `watch`.
    pub verb: String,
}

/// As a Role names it: `watch pods`, `create services/proxy`, `get deployments.apps`.
impl fmt::Display for Permission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(out, ".{}", self.group)?;
        }
        if !self.subresource.is_empty() {
            write!(out, "/{}", self.subresource)?;
        }
        Ok(())
    }
}

impl Permission {
    fn needed() -> impl Iterator<Item = Self> {
        NEEDED.iter().flat_map(|(group, resource, subresource, verbs)| {
            verbs.iter().map(|verb| Self {
                group: (*group).to_owned(),
                resource: (*resource).to_owned(),
                subresource: (*subresource).to_owned(),
                verb: (*verb).to_owned(),
            })
        })
    }

    fn review(&self, namespace: &Namespace) -> SelfSubjectAccessReview {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let attributes = ResourceAttributes {
            namespace: Some(namespace.to_string()),
            group: some(&self.group),
            resource: some(&self.resource),
            subresource: some(&self.subresource),
            verb: some(&self.verb),
            ..ResourceAttributes::default()
        };
        SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        }
    }
}

impl Cluster {
    /// What Flumen needs in a namespace and is not allowed to do there; empty is good.
    ///
    /// # Errors
    /// [`Error::AskPermission`].
    pub async fn missing_permissions(
        &self,
        namespace: &Namespace,
    ) -> Result<Vec<Permission>, Error> {
        let asked = stream::iter(Permission::needed()).map(|permission| async move {
            let allowed = self.is_allowed(namespace, &permission).await?;
            Ok::<_, Error>((!allowed).then_some(permission))
        });
        asked.buffered(AT_ONCE).try_filter_map(|missing| async { Ok(missing) }).try_collect().await
    }

    async fn is_allowed(
        &self,
        namespace: &Namespace,
        permission: &Permission,
    ) -> Result<bool, Error> {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let review = permission.review(namespace);
        let params = PostParams::default();
        // It is a POST that changes nothing.
        let answer = self.read(|| reviews.create(&params, &review)).await;
        let answer = answer.map_err(|source| Error::AskPermission {
            cluster: self.name.to_string(),
            permission: permission.to_string(),
            source,
        })?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}
