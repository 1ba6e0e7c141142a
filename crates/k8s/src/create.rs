//! Creation of a Flink cluster so that repeating it, from any point, ends in the same objects.

use flumen_model::{Namespace, RunId};
use k8s_openapi::{api::apps::v1::Deployment, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{
    Api,
    api::{ApiResource, DeleteParams, DynamicObject, PostParams, Preconditions},
    core::GroupVersionKind,
};
use serde_json::Value;

use crate::{Cause, Cluster, Error, FIELD_MANAGER};

/// A Flink cluster whose objects all stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The uid of its Deployment, which owns the other objects.
    pub uid: String,
    /// Whether the Deployment stood before: the creation was repeated.
    pub existed: bool,
}

impl Cluster {
    /// Creates the Deployment, then each of `others` as its property. The refusal of a second Deployment of
    /// one name is the lock against starting twice: one that is there is compared by the annotation
    /// [`RunId::ANNOTATION`], and the same run goes on with it.
    ///
    /// # Errors
    /// [`Error::DeploymentTaken`], [`Error::DeploymentDeleting`] and [`Error::ObjectTaken`] are conflicts;
    /// after any other error the call can be repeated.
    pub async fn create_objects(
        &self,
        namespace: &Namespace,
        deployment: &Deployment,
        others: &[Value],
    ) -> Result<Created, Error> {
        let created = self.create_deployment(namespace, deployment).await?;
        let name = deployment.metadata.name.clone().unwrap_or_default();
        self.create_owned_objects(namespace, (&name, &created.uid), others).await?;
        Ok(created)
    }

    /// Creates objects as the property of a Deployment, given by name and uid, that stands already.
    ///
    /// # Errors
    /// [`Error::ObjectTaken`] is a conflict; after any other error the call can be repeated.
    pub async fn create_owned_objects(
        &self,
        namespace: &Namespace,
        (name, uid): (&str, &str),
        others: &[Value],
    ) -> Result<(), Error> {
        let owner = OwnerReference {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        };
        for (index, object) in others.iter().enumerate() {
            let described = describe(object).map_err(|field| Error::DescribeObject {
                namespace: namespace.to_string(),
                name: name.to_owned(),
                number: index + 1,
                field,
            })?;
            self.create_owned(namespace, described, &owner).await?;
        }
        Ok(())
    }

    async fn create_deployment(
        &self,
        namespace: &Namespace,
        deployment: &Deployment,
    ) -> Result<Created, Error> {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), namespace.as_str());
        let name = deployment.metadata.name.clone().unwrap_or_default();
        let failed = |source| Error::CreateDeployment {
            namespace: namespace.to_string(),
            name: name.clone(),
            source,
        };
        let params = params();
        let found = loop {
            let create = deployments.create(&params, deployment);
            match self.change("k8s.create-deployment", create).await {
                Ok(made) => return Ok(Created { uid: uid(made)?, existed: false }),
                Err(cause) if cause.is_already_exists() => {}
                Err(cause) => return Err(failed(cause)),
            }
            // One that was there and is gone is in nobody's way any more.
            if let Some(found) = self.read(|| deployments.get_opt(&name)).await.map_err(failed)? {
                break found;
            }
        };
        let run = |of: &Deployment| {
            of.metadata.annotations.as_ref().and_then(|all| all.get(RunId::ANNOTATION)).cloned()
        };
        let (ours, theirs) = (run(deployment), run(&found));
        if ours.is_none() || ours != theirs {
            return Err(Error::DeploymentTaken {
                namespace: namespace.to_string(),
                name,
                owner: owner_text(theirs.as_deref()),
            });
        }
        if found.metadata.deletion_timestamp.is_some() {
            return Err(Error::DeploymentDeleting { namespace: namespace.to_string(), name });
        }
        Ok(Created { uid: uid(found)?, existed: true })
    }

    async fn create_owned(
        &self,
        namespace: &Namespace,
        (mut object, resource): (DynamicObject, ApiResource),
        owner: &OwnerReference,
    ) -> Result<(), Error> {
        let objects: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace.as_str(), &resource);
        let name = object.metadata.name.clone().unwrap_or_default();
        object.metadata.owner_references = Some(vec![owner.clone()]);
        object.metadata.namespace = Some(namespace.to_string());
        let failed = |source| Error::CreateObject {
            what: resource.kind.clone(),
            name: format!("{namespace}/{name}"),
            source,
        };
        let found = loop {
            match self.change("k8s.create-owned", objects.create(&params(), &object)).await {
                Ok(_) => return Ok(()),
                Err(cause) if cause.is_already_exists() => {}
                Err(cause) => return Err(failed(cause)),
            }
            if let Some(found) = self.read(|| objects.get_opt(&name)).await.map_err(&failed)? {
                break found;
            }
        };
        let owners = found.metadata.owner_references.clone().unwrap_or_default();
        if owners.iter().any(|found| found.uid == owner.uid) {
            return Ok(());
        }
        if !is_leftover(&owners, owner) {
            return Err(Error::ObjectTaken {
                what: resource.kind,
                namespace: namespace.to_string(),
                name,
            });
        }
        let this_one = Preconditions { uid: found.metadata.uid, resource_version: None };
        let deletion = DeleteParams::background().preconditions(this_one);
        match self.change("k8s.delete-leftover", objects.delete(&name, &deletion)).await {
            Err(cause) if !cause.is_not_found() => return Err(failed(cause)),
            _ => {}
        }
        let params = params();
        let create = objects.create(&params, &object);
        self.change("k8s.create-object", create).await.map(drop).map_err(failed)
    }
}

/// Whether an object belonged to an earlier Deployment of the same name and kind and to nobody else. That
/// one is gone, since the name is the owner's now, and the garbage collector has not come to it yet.
fn is_leftover(owners: &[OwnerReference], owner: &OwnerReference) -> bool {
    let earlier = |found: &OwnerReference| found.kind == owner.kind && found.name == owner.name;
    !owners.is_empty() && owners.iter().all(earlier)
}

pub(crate) fn owner_text(run: Option<&str>) -> String {
    run.map_or_else(|| "nobody that Flumen knows".to_owned(), |run| format!("run {run}"))
}

/// The object and where it is sent to; the field that is wrong otherwise. All kinds that come up have
/// regular plurals, so no discovery is needed.
pub(crate) fn describe(object: &Value) -> Result<(DynamicObject, ApiResource), &'static str> {
    let text = |field: &'static str| object[field].as_str().filter(|text| !text.is_empty());
    let api_version = text("apiVersion").ok_or("apiVersion")?;
    let kind = text("kind").ok_or("kind")?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let parsed: DynamicObject = serde_json::from_value(object.clone()).map_err(|_| "metadata")?;
    if parsed.metadata.name.as_deref().is_none_or(str::is_empty) {
        return Err("metadata.name");
    }
    Ok((parsed, ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))))
}

pub(crate) fn params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}

fn uid(deployment: Deployment) -> Result<String, Error> {
    let metadata = deployment.metadata;
    metadata.uid.ok_or_else(|| Error::CreateDeployment {
        namespace: metadata.namespace.unwrap_or_default(),
        name: metadata.name.unwrap_or_default(),
        source: Cause::Build { problem: "the API server gave it no uid".to_owned() },
    })
}
