//! Fetches what a volume's files are made of.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    path::{Component, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec},
        core::v1::{
            ConfigMap, KeyToPath, Pod, Secret, ServiceAccount, ServiceAccountTokenProjection,
            Volume, VolumeProjection,
        },
    },
};
use kube::{Api, Client, Resource, api::PostParams};
use serde::de::DeserializeOwned;

use super::{
    Error,
    project::{self, File, Selection},
};
use crate::environment::Facts;

/// The files of a volume and when they become stale.
pub(super) struct Payload {
    pub(super) files: Vec<File>,
    pub(super) refresh_at: Option<Timestamp>,
}

pub(super) struct Gathering<'a> {
    pub(super) client: &'a Client,
    pub(super) pod: &'a Pod,
    pub(super) facts: &'a Facts,
    pub(super) volume: &'a str,
}

/// Lifetime of a token that does not ask for one, in seconds.
const USUAL_TOKEN_SECONDS: i64 = 3607;

impl Gathering<'_> {
    /// `None` for a kind of volume that has no files of the API.
    pub(super) async fn payload(&self, volume: &Volume) -> Result<Option<Payload>, Error> {
        let files = if let Some(source) = &volume.config_map {
            let optional = source.optional.unwrap_or_default();
            self.config_map(&source.name, source.items.as_deref(), source.default_mode, optional)
                .await?
        } else if let Some(source) = &volume.secret {
            let name = source.secret_name.as_deref().unwrap_or_default();
            let optional = source.optional.unwrap_or_default();
            self.secret(name, source.items.as_deref(), source.default_mode, optional).await?
        } else if let Some(source) = &volume.downward_api {
            let items = source.items.as_deref().unwrap_or_default();
            self.content(project::downward(self.pod, items, source.default_mode, self.facts))?
        } else if let Some(source) = &volume.projected {
            let mut payload = Payload { files: Vec::new(), refresh_at: None };
            for projection in source.sources.iter().flatten() {
                let part = self.projection(projection, source.default_mode).await?;
                payload.files.extend(part.files);
                payload.refresh_at = payload.refresh_at.into_iter().chain(part.refresh_at).min();
            }
            payload.files = later_wins(payload.files);
            return Ok(Some(payload));
        } else {
            return Ok(None);
        };
        Ok(Some(Payload { files, refresh_at: None }))
    }

    async fn projection(
        &self,
        source: &VolumeProjection,
        mode: Option<i32>,
    ) -> Result<Payload, Error> {
        if let Some(source) = &source.service_account_token {
            return self.token(source, mode).await;
        }
        let files = if let Some(source) = &source.config_map {
            self.config_map(
                &source.name,
                source.items.as_deref(),
                mode,
                source.optional.unwrap_or_default(),
            )
            .await?
        } else if let Some(source) = &source.secret {
            self.secret(
                &source.name,
                source.items.as_deref(),
                mode,
                source.optional.unwrap_or_default(),
            )
            .await?
        } else if let Some(source) = &source.downward_api {
            let items = source.items.as_deref().unwrap_or_default();
            self.content(project::downward(self.pod, items, mode, self.facts))?
        } else {
            return Err(Error::Unsupported { volume: self.volume.to_owned() });
        };
        Ok(Payload { files, refresh_at: None })
    }

    async fn config_map(
        &self,
        name: &str,
        items: Option<&[KeyToPath]>,
        mode: Option<i32>,
        optional: bool,
    ) -> Result<Vec<File>, Error> {
        let found: Option<ConfigMap> = self.fetch("configmap", name).await?;
        let values = found.map(|map| {
            let text = map.data.into_iter().flatten().map(|(key, value)| (key, value.into_bytes()));
            let binary = map.binary_data.into_iter().flatten().map(|(key, value)| (key, value.0));
            text.chain(binary).collect()
        });
        self.content(project::keys(
            Selection { kind: "configmap", name, items, mode, optional },
            values,
        ))
    }

    async fn secret(
        &self,
        name: &str,
        items: Option<&[KeyToPath]>,
        mode: Option<i32>,
        optional: bool,
    ) -> Result<Vec<File>, Error> {
        let found: Option<Secret> = self.fetch("secret", name).await?;
        let values = found.map(|secret| {
            secret
                .data
                .into_iter()
                .flatten()
                .map(|(key, value)| (key, value.0))
                .collect::<BTreeMap<_, _>>()
        });
        self.content(project::keys(
            Selection { kind: "secret", name, items, mode, optional },
            values,
        ))
    }

    async fn token(
        &self,
        source: &ServiceAccountTokenProjection,
        mode: Option<i32>,
    ) -> Result<Payload, Error> {
        let metadata = &self.pod.metadata;
        let spec = self.pod.spec.as_ref();
        let account = spec
            .and_then(|spec| spec.service_account_name.clone())
            .unwrap_or_else(|| "default".to_owned());
        let seconds = source.expiration_seconds.unwrap_or(USUAL_TOKEN_SECONDS);
        let request = TokenRequest {
            spec: TokenRequestSpec {
                audiences: source
                    .audience
                    .iter()
                    .filter(|audience| !audience.is_empty())
                    .cloned()
                    .collect(),
                expiration_seconds: Some(seconds),
                bound_object_ref: Some(BoundObjectReference {
                    api_version: Some("v1".to_owned()),
                    kind: Some("Pod".to_owned()),
                    name: metadata.name.clone(),
                    uid: metadata.uid.clone(),
                }),
            },
            ..TokenRequest::default()
        };
        let answer = self
            .api::<ServiceAccount>()
            .create_token_request(&account, &PostParams::default(), &request)
            .await
            .map_err(|source| self.fetch_error("a token of service account", &account, source))?;
        let Some(status) = answer.status else {
            let kind = "service account";
            return self.content(Err(project::Error::NotFound { kind, name: account }));
        };
        let refresh_at = refresh_at(Timestamp::now(), status.expiration_timestamp.0);
        let file = self.content(project::token(&source.path, mode, status.token))?;
        Ok(Payload { files: vec![file], refresh_at: Some(refresh_at) })
    }

    fn content<T>(&self, content: Result<T, project::Error>) -> Result<T, Error> {
        content.map_err(|source| Error::Content { volume: self.volume.to_owned(), source })
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        let namespace = self.pod.metadata.namespace.as_deref().unwrap_or("default");
        Api::namespaced(self.client.clone(), namespace)
    }

    async fn fetch<K>(&self, kind: &'static str, name: &str) -> Result<Option<K>, Error>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
        K::DynamicType: Default,
    {
        self.api().get_opt(name).await.map_err(|source| self.fetch_error(kind, name, source))
    }

    fn fetch_error(&self, kind: &'static str, name: &str, source: kube::Error) -> Error {
        Error::Fetch {
            volume: self.volume.to_owned(),
            kind,
            name: name.to_owned(),
            source: Box::new(source),
        }
    }
}

/// One file per path: of sources that share one the last has it, as with the real kubelet.
fn later_wins(files: Vec<File>) -> Vec<File> {
    let normal = |file: &File| -> PathBuf {
        let path = PathBuf::from(&file.path);
        path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
    };
    let by_path: BTreeMap<PathBuf, File> =
        files.into_iter().map(|file| (normal(&file), file)).collect();
    by_path.into_values().collect()
}

/// After four fifths of a token's life, as the real kubelet does.
fn refresh_at(now: Timestamp, expires: Timestamp) -> Timestamp {
    let life = expires.duration_since(now).unsigned_abs();
    now.checked_add((life * 4 / 5).max(Duration::from_secs(10))).unwrap_or(expires)
}

#[cfg(test)]
mod tests {
    use super::{File, later_wins};

    #[test]
    fn of_sources_that_share_a_path_the_later_one_has_it() {
        let file = |path: &str, text: &str| File {
            path: path.to_owned(),
            mode: 0o644,
            content: text.into(),
        };
        let files = [file("b/c", "1"), file("a", "2"), file("./b//c", "3"), file("d", "4")];
        let kept = later_wins(files.into());
        let texts: Vec<&[u8]> = kept.iter().map(|file| &*file.content).collect();
        assert_eq!(texts, [b"2", b"3", b"4"]);
    }
}
