use flumen_model::{Namespace, Secret};
use k8s_openapi::{
    ByteString,
    api::core::v1::{Namespace as NamespaceObject, Secret as SecretObject},
};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    Cause, Cluster, Error, FIELD_MANAGER,
    create::{describe, params},
};

impl Cluster {
    /// Makes an object what `object` says, by server-side apply, for objects that Flumen alone owns. It is
    /// cluster-wide where its `metadata` has no namespace.
    ///
    /// # Errors
    /// [`Error::ApplyObject`].
    pub async fn apply(&self, object: &Value) -> Result<(), Error> {
        let failed = |source| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (namespace, name) =
                (text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]));
            let name = if namespace.is_empty() { name } else { format!("{namespace}/{name}") };
            Error::ApplyObject { what: text(&object["kind"]), name, source }
        };
        let (described, resource) = describe(object).map_err(|field| {
            failed(Cause::Build { problem: format!("it has no valid {field}") })
        })?;
        let name = described.metadata.name.as_deref().unwrap_or_default();
        let client = self.client.clone();
        let objects: Api<DynamicObject> = match described.metadata.namespace.as_deref() {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let patch = Patch::Apply(object);
        self.change("k8s.apply", objects.patch(name, &params, &patch))
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Replaces one entry of a Secret that is there; says whether it is.
    ///
    /// # Errors
    /// [`Error::ApplyObject`].
    pub async fn renew_secret(
        &self,
        namespace: &Namespace,
        name: &str,
        (entry, value): (&str, &Secret),
    ) -> Result<bool, Error> {
        let secrets: Api<SecretObject> = Api::namespaced(self.client.clone(), namespace.as_str());
        let value = ByteString(value.expose().as_bytes().to_vec());
        let patch = Patch::Merge(json!({"data": {entry: value}}));
        let params =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match self.change("k8s.renew-secret", secrets.patch(name, &params, &patch)).await {
            Ok(_) => Ok(true),
            Err(cause) if cause.is_not_found() => Ok(false),
            Err(source) => Err(Error::ApplyObject {
                what: "Secret".to_owned(),
                name: format!("{namespace}/{name}"),
                source,
            }),
        }
    }

    /// Creates the namespace unless it is there, also where Flumen may not create one but there is no need.
    ///
    /// # Errors
    /// [`Error::ReadObject`], [`Error::CreateObject`].
    pub async fn ensure_namespace(&self, namespace: &Namespace) -> Result<(), Error> {
        let namespaces: Api<NamespaceObject> = Api::all(self.client.clone());
        let found = self.read(|| namespaces.get_metadata_opt(namespace.as_str())).await;
        let found = found.map_err(|source| Error::ReadObject {
            what: "Namespace",
            name: namespace.to_string(),
            source,
        })?;
        if found.is_some() {
            return Ok(());
        }
        let mut wanted = NamespaceObject::default();
        wanted.metadata.name = Some(namespace.to_string());
        match self.change("k8s.create-namespace", namespaces.create(&params(), &wanted)).await {
            Ok(_) => Ok(()),
            Err(cause) if cause.is_already_exists() => Ok(()),
            Err(source) => Err(Error::CreateObject {
                what: "Namespace".to_owned(),
                name: namespace.to_string(),
                source,
            }),
        }
    }
}
