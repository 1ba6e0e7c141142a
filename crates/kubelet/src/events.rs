//! Events about pods, written in the background; equal ones are counted in one object.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::core::v1::{Event, EventSource, ObjectReference, Pod},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::sync::mpsc;

/// Component that reports.
const COMPONENT: &str = "kubelet";
/// Objects that are remembered for counting.
const REMEMBERED: usize = 1024;
const TRIES: u32 = 5;

/// Something worth telling about a pod.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Note {
    pub(crate) warning: bool,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// The container that it is about.
    pub(crate) container: Option<String>,
    /// It is an init container.
    pub(crate) init: bool,
}

impl Note {
    pub(crate) fn normal(reason: &'static str, message: String) -> Self {
        Self { warning: false, reason, message, container: None, init: false }
    }

    pub(crate) fn warning(reason: &'static str, message: String) -> Self {
        Self { warning: true, ..Self::normal(reason, message) }
    }

    pub(crate) fn about(self, container: &str, init: bool) -> Self {
        Self { container: Some(container.to_owned()), init, ..self }
    }
}

/// Handle to the background writer.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    notes: mpsc::UnboundedSender<(ObjectReference, Note)>,
}

impl Recorder {
    /// The handle, and what has to run for it.
    pub(crate) fn new(client: Client, node: String) -> (Self, impl Future<Output = ()>) {
        let (notes, receiver) = mpsc::unbounded_channel();
        (Self { notes }, write(client, node, receiver))
    }

    pub(crate) fn note(&self, pod: &Pod, note: Note) {
        let field_path = note.container.as_ref().map(|name| {
            let list = if note.init { "initContainers" } else { "containers" };
            format!("spec.{list}{{{name}}}")
        });
        let reference = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: pod.metadata.name.clone(),
            namespace: pod.metadata.namespace.clone(),
            uid: pod.metadata.uid.clone(),
            resource_version: pod.metadata.resource_version.clone(),
            field_path,
        };
        // Nobody writes any more when the kubelet stops.
        let _ = self.notes.send((reference, note));
    }
}

struct Written {
    name: String,
    count: i32,
}

async fn write(
    client: Client,
    node: String,
    mut notes: mpsc::UnboundedReceiver<(ObjectReference, Note)>,
) {
    let mut written: HashMap<(Option<String>, Note), Written> = HashMap::new();
    while let Some((about, note)) = notes.recv().await {
        let namespace = about.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
        let key = (about.uid.clone(), note.clone());
        let now = super::pods::time(Timestamp::now());
        if let Some(before) = written.get_mut(&key) {
            before.count += 1;
            let patch = json!({"count": before.count, "lastTimestamp": now});
            if api.patch(&before.name, &PatchParams::default(), &Patch::Merge(patch)).await.is_ok()
            {
                continue;
            }
        }
        if written.len() >= REMEMBERED {
            written.clear();
        }
        let event = event(about, note, &node, now);
        let name = event.metadata.name.clone().unwrap_or_default();
        if create(&api, &event).await {
            written.insert(key, Written { name, count: 1 });
        }
    }
}

fn event(about: ObjectReference, note: Note, host: &str, now: Time) -> Event {
    let id = uuid::Uuid::new_v4().simple().to_string();
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{}.{}", about.name.as_deref().unwrap_or_default(), &id[..16])),
            namespace: about.namespace.clone(),
            ..ObjectMeta::default()
        },
        involved_object: about,
        type_: Some(if note.warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(note.reason.to_owned()),
        message: Some(note.message),
        count: Some(1),
        first_timestamp: Some(now.clone()),
        last_timestamp: Some(now),
        source: Some(EventSource {
            component: Some(COMPONENT.to_owned()),
            host: Some(host.to_owned()),
        }),
        reporting_component: Some(COMPONENT.to_owned()),
        reporting_instance: Some(host.to_owned()),
        ..Event::default()
    }
}

/// Events are a courtesy: after a few tries they are given up.
async fn create(api: &Api<Event>, event: &Event) -> bool {
    for attempt in 1..=TRIES {
        match api.create(&PostParams::default(), event).await {
            Ok(_) => return true,
            // The namespace is being deleted, or we may not.
            Err(kube::Error::Api(status)) if status.code < 500 => return false,
            Err(error) => tracing::debug!(%error, attempt, "could not write an event"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    false
}
