//! The Deployment of the JobManager.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    apps::v1::{Deployment, DeploymentSpec},
    core::v1::PodTemplateSpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};

use crate::{
    Error,
    feature::{DEPLOYMENT_ANNOTATIONS, OWNER_REFERENCES, REPLICAS},
    keys,
    render::{Render, some},
};

const OWNER_KEY: &str = "kubernetes.jobmanager.owner.reference";

pub(crate) fn build(render: &Render<'_>) -> Result<Deployment, Error> {
    let replicas = i32::try_from(replicas(render)?).unwrap_or(i32::MAX);
    Ok(Deployment {
        metadata: metadata(render)?,
        spec: Some(DeploymentSpec {
            replicas: Some(replicas),
            selector: LabelSelector {
                match_labels: some(render.selector()?),
                match_expressions: None,
            },
            template: pod(render),
            ..DeploymentSpec::default()
        }),
        status: None,
    })
}

/// How many JobManagers there are: one leads, the others wait.
pub(crate) fn replicas(render: &Render<'_>) -> Result<i64, Error> {
    if !render.has(REPLICAS) {
        return Ok(1);
    }
    Ok(render.configuration.integer(keys::REPLICAS)?.unwrap_or(1))
}

fn metadata(render: &Render<'_>) -> Result<ObjectMeta, Error> {
    let marks = &render.spec.marks;
    let mut labels = marks.labels.clone();
    labels.extend(render.job_manager_labels()?);
    let mut annotations = marks.annotations.clone();
    if render.has(DEPLOYMENT_ANNOTATIONS) {
        annotations.extend(render.map("kubernetes.jobmanager.annotations")?);
    }
    Ok(ObjectMeta {
        name: Some(render.names.cluster_id().to_owned()),
        namespace: Some(render.namespace.clone()),
        labels: some(labels),
        annotations: some(annotations),
        owner_references: owners(render)?,
        ..ObjectMeta::default()
    })
}

fn owners(render: &Render<'_>) -> Result<Option<Vec<OwnerReference>>, Error> {
    if !render.has(OWNER_REFERENCES) {
        return Ok(None);
    }
    let entries = render.configuration.list_of_maps(OWNER_KEY)?.unwrap_or_default();
    let owners: Vec<_> = entries.iter().map(owner).collect::<Result<_, _>>()?;
    Ok((!owners.is_empty()).then_some(owners))
}

fn owner(entry: &BTreeMap<String, String>) -> Result<OwnerReference, Error> {
    let text = |part: &str| entry.get(part).cloned().unwrap_or_default();
    Ok(OwnerReference {
        api_version: text("apiVersion"),
        kind: text("kind"),
        name: text("name"),
        uid: text("uid"),
        controller: flag(entry, "controller")?,
        block_owner_deletion: flag(entry, "blockOwnerDeletion")?,
    })
}

fn flag(entry: &BTreeMap<String, String>, part: &str) -> Result<Option<bool>, Error> {
    let Some(text) = entry.get(part) else { return Ok(None) };
    text.to_ascii_lowercase().parse().map(Some).map_err(|_| Error::Part {
        key: OWNER_KEY,
        part: part.to_owned(),
        value: text.clone(),
        allowed: "true or false",
    })
}

/// The pod with the main container behind the others.
fn pod(render: &Render<'_>) -> PodTemplateSpec {
    let pod = &render.pod;
    let mut spec = pod.spec.clone();
    spec.containers.push(pod.main.clone());
    PodTemplateSpec { metadata: Some(pod.metadata.clone()), spec: Some(spec) }
}
