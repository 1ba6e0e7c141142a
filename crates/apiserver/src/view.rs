//! Objects in the form that the client accepts.

use bytes::Bytes;
use serde_json::json;

use crate::{failure::Failure, request::Accept, resources::Resource, storage::Object};

/// Where what existed at the start of a watch ends.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// The events of one watch as lines.
pub(crate) struct Events {
    resource: &'static Resource,
    accept: Accept,
}

impl Events {
    pub(crate) fn new(resource: &'static Resource, accept: Accept) -> Self {
        Self { resource, accept }
    }

    pub(crate) fn line(&mut self, kind: &str, object: &Object) -> Bytes {
        let _ = self.accept;
        render(kind, &object.json)
    }

    /// A line that only says up to which revision everything was sent.
    pub(crate) fn bookmark(&self, revision: u64, initial_end: bool) -> Bytes {
        let mut object = json!({
            "kind": self.resource.kind,
            "apiVersion": self.resource.api_version(),
            "metadata": {"resourceVersion": revision.to_string(), "creationTimestamp": null},
        });
        if initial_end {
            object["metadata"]["annotations"] = json!({INITIAL_EVENTS_END: "true"});
        }
        render("BOOKMARK", object.to_string().as_bytes())
    }

    pub(crate) fn failure(&self, failure: &Failure) -> Bytes {
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

