//! What every namespace has: the service account `default` and the certificate authority of the API server.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Patch, PostParams};
use serde_json::json;

use crate::Error;
use crate::error::Verb;
use crate::facts::Key;
use crate::hub::{Hub, describe, manager};
use crate::kinds::Kind;

const ACCOUNT: &str = "default";
const AUTHORITY: &str = "kube-root-ca.crt";
const CERTIFICATE: &str = "ca.crt";

pub(crate) async fn look(hub: &Hub, namespace: String) -> Result<Option<Duration>, Error> {
    let account_key = Key::new(namespace.as_str(), ACCOUNT);
    let authority_key = Key::new(namespace.as_str(), AUTHORITY);
    let missing = hub.world(|world| {
        let there = world
            .named(Kind::Namespace, &Key::new("", namespace.as_str()))
            .is_some_and(|object| !object.deleting);
        there.then(|| {
            (
                world.named(Kind::ServiceAccount, &account_key).is_none(),
                world.named(Kind::ConfigMap, &authority_key).is_none(),
            )
        })
    });
    let Some((account, authority)) = missing else { return Ok(None) };
    if account {
        let wanted = ServiceAccount { metadata: named(&account_key), ..ServiceAccount::default() };
        create_missing(
            hub.api::<ServiceAccount>(&namespace).create(&PostParams::default(), &wanted).await,
            &describe::<ServiceAccount>(&account_key),
        )?;
    }
    if let Some(certificate) = &hub.settings.root_certificate {
        publish(hub, &authority_key, certificate, authority).await?;
    }
    Ok(None)
}

fn named(key: &Key) -> ObjectMeta {
    ObjectMeta {
        name: Some(key.name.clone()),
        namespace: Some(key.namespace.clone()),
        ..ObjectMeta::default()
    }
}

async fn publish(hub: &Hub, key: &Key, certificate: &str, missing: bool) -> Result<(), Error> {
    let api = hub.api::<ConfigMap>(&key.namespace);
    if missing {
        let note = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc.";
        let mut metadata = named(key);
        metadata.annotations =
            Some(BTreeMap::from([("kubernetes.io/description".to_owned(), note.to_owned())]));
        let data = Some(BTreeMap::from([(CERTIFICATE.to_owned(), certificate.to_owned())]));
        let wanted = ConfigMap { metadata, data, ..ConfigMap::default() };
        return create_missing(
            api.create(&PostParams::default(), &wanted).await,
            &describe::<ConfigMap>(key),
        );
    }
    let live = api
        .get_opt(&key.name)
        .await
        .map_err(|source| Error::request(Verb::Read, describe::<ConfigMap>(key), source))?;
    let stale = live.is_some_and(|live| {
        live.data.and_then(|mut data| data.remove(CERTIFICATE)).as_deref() != Some(certificate)
    });
    if stale {
        let body = json!({"data": {CERTIFICATE: certificate}});
        api.patch(&key.name, &manager(), &Patch::Merge(body))
            .await
            .map_err(|source| Error::request(Verb::Change, describe::<ConfigMap>(key), source))?;
    }
    Ok(())
}

fn create_missing<K>(answer: kube::Result<K>, object: &str) -> Result<(), Error> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        Err(source) => Err(Error::request(Verb::Create, object, source)),
    }
}
