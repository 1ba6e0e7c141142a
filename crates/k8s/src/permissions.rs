use flumen_cluster::rights::{Permission, Who, permissions};
use flumen_model::Namespace;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{
    LocalSubjectAccessReview, ResourceAttributes, SelfSubjectAccessReview,
    SelfSubjectAccessReviewSpec, SubjectAccessReviewSpec,
};
use kube::{Api, api::PostParams};

use crate::{Cause, Cluster, Error};

/// Reviews that are under way at once; each takes a connection.
const AT_ONCE: usize = 4;

fn attributes(permission: &Permission, namespace: &Namespace) -> ResourceAttributes {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ResourceAttributes {
        namespace: Some(namespace.to_string()),
        group: some(permission.group),
        resource: some(permission.resource),
        subresource: some(permission.subresource),
        verb: some(permission.verb),
        ..ResourceAttributes::default()
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
        let asked = stream::iter(permissions(Who::Flumen, true)).map(|permission| async move {
            let allowed = self.is_allowed(namespace, &permission).await?;
            Ok::<_, Error>((!allowed).then_some(permission))
        });
        asked.buffered(AT_ONCE).try_filter_map(|missing| async { Ok(missing) }).try_collect().await
    }

    /// What a service account of the namespace needs for Flink and is not allowed to do there.
    ///
    /// # Errors
    /// [`Error::AskPermission`]; of kind denied where Flumen may not ask what others may do.
    pub async fn missing_permissions_of(
        &self,
        namespace: &Namespace,
        account: &str,
        host_network: bool,
    ) -> Result<Vec<Permission>, Error> {
        let needed = stream::iter(permissions(Who::Flink, host_network));
        let asked = needed.map(|permission| async move {
            let allowed = self.may(namespace, account, &permission).await?;
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
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes(permission, namespace)),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let params = PostParams::default();
        // It is a POST that changes nothing.
        let answer = self.read(|| reviews.create(&params, &review)).await;
        let answer = answer.map_err(|source| self.not_asked(permission, source))?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    async fn may(
        &self,
        namespace: &Namespace,
        account: &str,
        permission: &Permission,
    ) -> Result<bool, Error> {
        let reviews: Api<LocalSubjectAccessReview> =
            Api::namespaced(self.client.clone(), namespace.as_str());
        let mut review = LocalSubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                resource_attributes: Some(attributes(permission, namespace)),
                user: Some(format!("system:serviceaccount:{namespace}:{account}")),
                groups: Some(vec![
                    "system:serviceaccounts".to_owned(),
                    format!("system:serviceaccounts:{namespace}"),
                    "system:authenticated".to_owned(),
                ]),
                ..SubjectAccessReviewSpec::default()
            },
            ..LocalSubjectAccessReview::default()
        };
        review.metadata.namespace = Some(namespace.to_string());
        let params = PostParams::default();
        let answer = self.read(|| reviews.create(&params, &review)).await;
        let answer = answer.map_err(|source| self.not_asked(permission, source))?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    fn not_asked(&self, permission: &Permission, source: Cause) -> Error {
        Error::AskPermission {
            cluster: self.name.to_string(),
            permission: permission.to_string(),
            source,
        }
    }
}
