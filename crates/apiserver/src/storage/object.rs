//! One stored object: the bytes that every reader gets, and what selectors look at.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::Value;

use crate::resources::Resource;

/// The real server's store takes no larger one.
const MAXIMUM_BYTES: usize = 3 << 19;

/// A version of an object.
#[derive(Debug)]
pub(crate) struct Object {
    /// The revision of the change that made this version; its `resourceVersion`.
    pub(crate) revision: u64,
    /// The object as JSON, beginning with `kind` and `apiVersion`.
    pub(crate) json: Bytes,
    resource: &'static Resource,
    index: OnceLock<Index>,
}

/// What selectors look at.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) labels: Box<[(Box<str>, Box<str>)]>,
    pub(crate) fields: Box<[Box<str>]>,
}

impl Object {
    pub(crate) fn new(resource: &'static Resource, mut value: Value, revision: u64) -> Self {
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".into(), revision.to_string().into());
        }
        let index = OnceLock::new();
        let _ = index.set(Index::of(resource, &value));
        Self { revision, json: resource.render(&value), resource, index }
    }

    /// The same without the managers of its fields if it is too large with them, as the real server has it; `None`
    /// if it is too large all the same.
    pub(super) fn within_limit(self) -> Option<Self> {
        if !self.is_too_large() {
            return Some(self);
        }
        let mut value = self.value();
        value.get_mut("metadata")?.as_object_mut()?.shift_remove("managedFields")?;
        Some(Self::new(self.resource, value, self.revision)).filter(|object| !object.is_too_large())
    }

    fn is_too_large(&self) -> bool {
        self.json.len() > MAXIMUM_BYTES && plain_size(&self.value()) > MAXIMUM_BYTES
    }

    pub(super) fn recovered(resource: &'static Resource, json: &[u8], revision: u64) -> Self {
        Self { revision, json: Bytes::copy_from_slice(json), resource, index: OnceLock::new() }
    }

    /// The same state under another revision.
    pub(crate) fn at(&self, revision: u64) -> Self {
        Self::new(self.resource, self.value(), revision)
    }

    /// The object as a value that can be changed.
    pub(crate) fn value(&self) -> Value {
        // The bytes were made by this program from a value, and the log has checksums.
        serde_json::from_slice(&self.json).unwrap_or(Value::Null)
    }

    /// The bytes without `kind` and `apiVersion`, as items of a list have them.
    pub(crate) fn item(&self) -> &[u8] {
        self.json.get(self.resource.prefix.len()..).unwrap_or_default()
    }

    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(self.resource, &self.value()))
    }

    /// The value of a selectable field; empty where the object has none.
    pub(crate) fn field(&self, position: usize) -> &str {
        self.index().fields.get(position).map_or("", |value| value)
    }
}

/// About the size in the form that the real server stores, in which text is not quoted.
fn plain_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 2,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(plain_size).sum(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| key.len() + 2 + plain_size(value)).sum()
        }
    }
}

impl Index {
    fn of(resource: &Resource, value: &Value) -> Self {
        let labels = value
            .pointer("/metadata/labels")
            .and_then(Value::as_object)
            .map(|labels| {
                labels
                    .iter()
                    .map(|(key, value)| {
                        (key.as_str().into(), value.as_str().unwrap_or_default().into())
                    })
                    .collect()
            })
            .unwrap_or_default();
        let fields = resource
            .selectable
            .iter()
            .map(|field| match value.pointer(field.pointer) {
                Some(Value::String(text)) => text.as_str().into(),
                None | Some(Value::Null) => field.absent.into(),
                Some(other) => other.to_string().into(),
            })
            .collect();
        Self { labels, fields }
    }
}
