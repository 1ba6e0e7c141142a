//! Objects that whoever starts the cluster wants to be there.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::wait::await_condition;
use serde_json::Value;

use crate::Error;

/// A control plane makes its first namespaces at once, but perhaps after it says that it is ready.
const PATIENCE: Duration = Duration::from_secs(30);

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Makes those that are missing, in their order.
pub(crate) async fn make(client: &Client, objects: &[Value]) -> Result<(), Error> {
    for object in objects {
        make_one(client, object).await.map_err(|source| {
            let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
            let (kind, name) = (text("/kind"), text("/metadata/name"));
            let name = format!("{} {}", kind.unwrap_or("object"), name.unwrap_or_default());
            Error::MakeObject { name, source }
        })?;
    }
    Ok(())
}

async fn make_one(client: &Client, object: &Value) -> Result<(), Cause> {
    let object: DynamicObject = serde_json::from_value(object.clone())?;
    let kind = GroupVersionKind::try_from(object.types.clone().unwrap_or_default())?;
    let resource = ApiResource::from_gvk(&kind);
    let api: Api<DynamicObject> = match &object.metadata.namespace {
        Some(namespace) => {
            let namespaces: Api<Namespace> = Api::all(client.clone());
            let exists = |found: Option<&Namespace>| found.is_some();
            tokio::time::timeout(PATIENCE, await_condition(namespaces, namespace, exists))
                .await??;
            Api::namespaced_with(client.clone(), namespace, &resource)
        }
        None => Api::all_with(client.clone(), &resource),
    };
    match api.create(&PostParams::default(), &object).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(()),
        Err(error) => Err(error.into()),
    }
}
