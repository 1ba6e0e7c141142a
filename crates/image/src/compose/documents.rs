//! The manifest and the configuration of a composed image. Pure: the bytes follow from the arguments alone, with keys
//! in order and no clock. Fields of the base image that we do not know are kept.

use std::collections::BTreeMap;

use bytes::Bytes;
use flumen_model::Digest;
use serde_json::{Map, Value, json};

use super::{Append, Build};
use crate::{
    Error, Image, Layer, Platform,
    client::parse,
    hashing::digest_of,
    media_type::{OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, in_oci_words},
};

/// What stands for the time of building, which must not be part of the digest.
const EPOCH: &str = "1970-01-01T00:00:00Z";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
const ANNOTATIONS: &str = "org.opencontainers.image.";

pub(crate) struct Documents {
    pub(crate) manifest: Bytes,
    pub(crate) manifest_digest: Digest,
    pub(crate) config: Bytes,
    pub(crate) config_digest: Digest,
}

impl Documents {
    pub(super) fn on_base(base: &Image, append: &Append<'_>) -> Result<Self, Error> {
        let what = |document: &str| format!("the {document} of {}", base.reference);
        let mut config: Map<String, Value> = parse(&base.config_document, what("configuration"))?;
        let manifest: Map<String, Value> = parse(&base.manifest_document.bytes, what("manifest"))?;
        let unusable = || Error::UseDocument {
            what: what("configuration"),
            problem: "its parts are not of the form that the image specification gives them"
                .to_owned(),
        };
        let run = object(&mut config, "config").ok_or_else(unusable)?;
        let labels = object(run, "Labels").ok_or_else(unusable)?;
        labels.extend(append.labels.iter().map(|(key, value)| (key.clone(), value.clone().into())));
        set_environment(array(run, "Env").ok_or_else(unusable)?, append.environment);
        describe_layers(&mut config, append.layers).ok_or_else(unusable)?;
        let mut layers: Vec<Value> =
            manifest.get("layers").and_then(Value::as_array).cloned().unwrap_or_default();
        for layer in &mut layers {
            if let Some(media_type) =
                layer["mediaType"].as_str().map(in_oci_words).map(str::to_owned)
            {
                layer["mediaType"] = media_type.into();
            }
        }
        layers.extend(append.layers.iter().map(descriptor));
        Ok(Self::seal(config.into(), &layers, &annotations(append, &base.digest)))
    }

    pub(crate) fn from_nothing(build: &Build<'_>, platform: &Platform) -> Result<Self, Error> {
        let wanted = build.configuration;
        let mut run = Map::new();
        let mut environment = Vec::new();
        set_environment(&mut environment, &wanted.environment);
        let mut set = |key: &str, value: Value, is_wanted: bool| {
            if is_wanted {
                run.insert(key.to_owned(), value);
            }
        };
        set("Env", environment.into(), !wanted.environment.is_empty());
        set("Entrypoint", json!(wanted.entrypoint), !wanted.entrypoint.is_empty());
        set("Cmd", json!(wanted.command), !wanted.command.is_empty());
        set("WorkingDir", json!(wanted.working_directory), wanted.working_directory.is_some());
        set("User", json!(wanted.user), wanted.user.is_some());
        set("Labels", json!(wanted.labels), !wanted.labels.is_empty());
        let ports: BTreeMap<&str, Value> =
            wanted.exposed_ports.iter().map(|port| (port.as_str(), json!({}))).collect();
        set("ExposedPorts", json!(ports), !ports.is_empty());
        let mut config = Map::new();
        config.insert("architecture".to_owned(), platform.architecture.clone().into());
        config.insert("os".to_owned(), platform.os.clone().into());
        config.insert("created".to_owned(), EPOCH.into());
        config.insert("config".to_owned(), run.into());
        config.insert("rootfs".to_owned(), json!({ "type": "layers", "diff_ids": [] }));
        config.insert("history".to_owned(), json!([]));
        describe_layers(&mut config, build.layers).ok_or_else(|| Error::UseDocument {
            what: format!("the configuration for {}", build.target),
            problem: "it lacks its layers".to_owned(),
        })?;
        let layers: Vec<Value> = build.layers.iter().map(descriptor).collect();
        Ok(Self::seal(config.into(), &layers, &Value::Null))
    }

    fn seal(config: Value, layers: &[Value], annotations: &Value) -> Self {
        let config = canonical(config);
        let config_digest = digest_of(&config);
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": { "mediaType": OCI_CONFIG, "digest": config_digest.as_str(), "size": config.len() },
            "layers": layers,
        });
        if !annotations.is_null() {
            manifest["annotations"] = annotations.clone();
        }
        let manifest = canonical(manifest);
        Self { manifest_digest: digest_of(&manifest), manifest, config, config_digest }
    }
}

/// What the specification names annotations is said of the manifest too, where registries look for it.
pub(super) fn annotations(append: &Append<'_>, base: &Digest) -> Value {
    let labels = append.labels.iter().filter(|(key, _)| key.starts_with(ANNOTATIONS));
    let labels = labels.map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    let base = (BASE_DIGEST.to_owned(), Value::from(base.as_str()));
    Value::Object(labels.chain([base]).collect())
}

/// An index of images: `(manifest, its size, its platform as the base says it)`.
pub(super) fn index(images: &[(Digest, u64, Value)], annotations: &Value) -> Bytes {
    let manifests = images.iter().map(|(digest, size, platform)| {
        json!({ "mediaType": OCI_MANIFEST, "digest": digest.as_str(), "size": size, "platform": platform })
    });
    canonical(json!({
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": manifests.collect::<Vec<_>>(),
        "annotations": annotations,
    }))
}

fn descriptor(layer: &Layer) -> Value {
    json!({ "mediaType": layer.media_type.to_string(), "digest": layer.digest.as_str(), "size": layer.size })
}

/// Adds the layers to the root file system and, where the image keeps one, to its history.
fn describe_layers(config: &mut Map<String, Value>, layers: &[Layer]) -> Option<()> {
    let diff_ids = array(object(config, "rootfs")?, "diff_ids")?;
    diff_ids.extend(layers.iter().map(|layer| Value::from(layer.diff_id.as_str())));
    if config.contains_key("history") {
        let entry = json!({ "created": EPOCH, "created_by": "flumen" });
        array(config, "history")?.extend(layers.iter().map(|_| entry.clone()));
    }
    Some(())
}

/// The object under `key`, made if it is absent or null.
fn object<'a>(parent: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    let value = parent.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

/// The list under `key`, made if it is absent or null.
fn array<'a>(parent: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Vec<Value>> {
    let value = parent.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut()
}

/// Replaces variables where they stand and adds the others at the end.
fn set_environment(list: &mut Vec<Value>, changes: &BTreeMap<String, String>) {
    for (name, value) in changes {
        let line = Value::from(format!("{name}={value}"));
        let is_same =
            |old: &&mut Value| old.as_str().and_then(|old| old.split('=').next()) == Some(name);
        match list.iter_mut().find(is_same) {
            Some(old) => *old = line,
            None => list.push(line),
        }
    }
}

/// JSON with the keys of every object in order.
pub(crate) fn canonical(value: Value) -> Bytes {
    serde_json::to_vec(&sorted(value)).expect("a JSON value has only text keys").into()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(map) => {
            let map: BTreeMap<String, Value> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(map.into_iter().collect())
        }
        other => other,
    }
}
