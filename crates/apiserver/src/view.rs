//! Objects in the form that the client accepts: as they are, as rows of a table, or their metadata alone.

use axum::body::Body;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{
    api::List,
    failure::Failure,
    request::{Accept, Query},
    resources::Resource,
    storage::Object,
};

mod list;
pub(crate) mod table;

/// Where what existed at the start of a watch ends.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// How much of an object stands beside its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Include {
    Nothing,
    Metadata,
    Object,
}

/// The form of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    accept: Accept,
    include: Include,
}

impl View {
    pub(crate) fn new(accept: Accept, query: &Query) -> Self {
        let include = match query.text("includeObject") {
            Some("None") => Include::Nothing,
            Some("Object") => Include::Object,
            _ => Include::Metadata,
        };
        Self { accept, include }
    }

    /// One stored object.
    pub(crate) fn object(self, resource: &Resource, object: &Object) -> Bytes {
        match self.accept {
            Accept::Json if resource.alias.is_some() => {
                resource.render(&resource.outward(object.value()))
            }
            Accept::Json => object.json.clone(),
            Accept::Metadata | Accept::MetadataList => partial(&object.value()).to_string().into(),
            Accept::Table => {
                let value = object.value();
                let metadata = json!({"resourceVersion": object.revision.to_string()});
                let rows = vec![self.row(resource, &value)];
                table::render(resource, &metadata, &rows, true).to_string().into()
            }
        }
    }

    pub(crate) fn list(self, list: List) -> Body {
        match self.accept {
            Accept::Json => list::body(list),
            Accept::Metadata | Accept::MetadataList => {
                let items: Vec<Value> =
                    list.entries.iter().map(|(_, object)| partial(&object.value())).collect();
                json!({
                    "kind": "PartialObjectMetadataList",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": list_metadata(&list),
                    "items": items,
                })
                .to_string()
                .into()
            }
            Accept::Table => {
                let entries = list.entries.iter();
                let rows: Vec<Value> =
                    entries.map(|(_, object)| self.row(list.resource, &object.value())).collect();
                table::render(list.resource, &list_metadata(&list), &rows, true).to_string().into()
            }
        }
    }

    fn row(self, resource: &Resource, value: &Value) -> Value {
        let mut row = json!({"cells": table::cells(resource, value)});
        match self.include {
            Include::Nothing => row["object"] = Value::Null,
            Include::Metadata => row["object"] = partial(value),
            Include::Object => row["object"] = value.clone(),
        }
        row
    }
}

/// The metadata of an object as an object of its own.
fn partial(value: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": value.get("metadata").cloned().unwrap_or_default(),
    })
}

fn list_metadata(list: &List) -> Value {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), list.revision.to_string().into());
    if !list.next.is_empty() {
        metadata.insert("continue".into(), list.next.as_str().into());
    }
    if let Some(remaining) = list.remaining {
        metadata.insert("remainingItemCount".into(), remaining.into());
    }
    Value::Object(metadata)
}

/// The events of one watch as lines.
pub(crate) struct Events {
    resource: &'static Resource,
    view: View,
    /// The columns of a table are described once.
    described: bool,
}

impl Events {
    pub(crate) fn new(resource: &'static Resource, view: View) -> Self {
        Self { resource, view, described: false }
    }

    pub(crate) fn line(&mut self, kind: &str, object: &Object) -> Bytes {
        if self.view.accept == Accept::Table {
            let value = object.value();
            let metadata = json!({"resourceVersion": object.revision.to_string()});
            let rows = vec![self.view.row(self.resource, &value)];
            let table = table::render(self.resource, &metadata, &rows, !self.described);
            self.described = true;
            return render(kind, table.to_string().as_bytes());
        }
        render(kind, &self.view.object(self.resource, object))
    }

    /// A line that only says up to which revision everything was sent.
    pub(crate) fn bookmark(&self, revision: u64, initial_end: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if initial_end {
            metadata["annotations"] = json!({INITIAL_EVENTS_END: "true"});
        }
        let object = match self.view.accept {
            Accept::Json => {
                json!({"kind": self.resource.kind, "apiVersion": self.resource.api_version(), "metadata": metadata})
            }
            Accept::Metadata | Accept::MetadataList => partial(&json!({"metadata": metadata})),
            Accept::Table => {
                let object = partial(&json!({"metadata": metadata}));
                let rows = vec![json!({"cells": [], "object": object})];
                table::render(self.resource, &metadata, &rows, false)
            }
        };
        render("BOOKMARK", object.to_string().as_bytes())
    }

    pub(crate) fn failure(failure: &Failure) -> Bytes {
        render("ERROR", failure.status().to_string().as_bytes())
    }
}

fn render(kind: &str, object: &[u8]) -> Bytes {
    let mut line = Vec::with_capacity(object.len() + 40);
    line.extend_from_slice(b"{\"type\":\"");
    line.extend_from_slice(kind.as_bytes());
    line.extend_from_slice(b"\",\"object\":");
    line.extend_from_slice(object);
    line.extend_from_slice(b"}\n");
    line.into()
}
