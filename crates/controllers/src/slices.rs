//! Endpoint slices: the addresses of the pods behind each service with a selector, in pieces.

mod decide;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, PostParams};

use crate::Error;
use crate::error::Verb;
use crate::facts::{Key, Uid};
use crate::hub::{Hub, describe};
pub(crate) use decide::{Change, MANAGED_BY, MANAGER, SERVICE, ZONE, decide};

pub(crate) async fn act(hub: &Hub, namespace: &str, changes: Vec<Change>) -> Result<(), Error> {
    for change in changes {
        write(hub, namespace, change).await?;
    }
    Ok(())
}

async fn write(hub: &Hub, namespace: &str, change: Change) -> Result<(), Error> {
    let api = hub.api::<EndpointSlice>(namespace);
    let parameters = PostParams::default();
    match change {
        Change::Create(slice) => {
            let prefix = slice.metadata.generate_name.clone().unwrap_or_default();
            let created = api.create(&parameters, &slice).await;
            let described = format!("an EndpointSlice {namespace}/{prefix}");
            hub.answered(
                &created.map_err(|source| Error::request(Verb::Create, described, source))?,
            );
        }
        Change::Replace(slice) => {
            let key = Key::new(namespace, slice.metadata.name.clone().unwrap_or_default());
            let replaced = api.replace(&key.name, &parameters, &slice).await;
            hub.answered(&replaced.map_err(|source| {
                Error::request(Verb::Change, describe::<EndpointSlice>(&key), source)
            })?);
        }
        Change::Delete { name, uid } => {
            let key = Key::new(namespace, name);
            let uid = Uid::from(uid);
            hub.delete::<EndpointSlice>(&key, &uid, DeleteParams::default()).await?;
        }
    }
    Ok(())
}
