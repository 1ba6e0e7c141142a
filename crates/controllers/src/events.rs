//! Events that tell people what a controller did or could not do. They are told once, and not told if the API server will not have
//! them: no decision depends on an event.

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};

use crate::clock;
use crate::facts::{Key, fnv64};
use crate::hub::Hub;

/// The object that an event is about.
#[derive(Debug, Clone)]
pub(crate) struct About<'a> {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) key: &'a Key,
    pub(crate) uid: &'a str,
}

/// What is told.
#[derive(Debug, Clone)]
pub(crate) struct Told<'a> {
    /// Who tells it, by the name that Kubernetes has for it.
    pub(crate) by: &'static str,
    pub(crate) warning: bool,
    pub(crate) reason: &'a str,
    pub(crate) message: String,
}

pub(crate) async fn tell(hub: &Hub, about: &About<'_>, told: Told<'_>) {
    let event = event(about, told, clock::now());
    let api: Api<Event> = hub.api(namespace(about));
    if let Err(error) = api.create(&PostParams::default(), &event).await {
        tracing::debug!(object = %about.key, error = &error as &dyn std::error::Error, "event not written");
    }
}

/// What is about an object of the whole cluster stands in `default`.
fn namespace<'a>(about: &About<'a>) -> &'a str {
    if about.key.namespace.is_empty() { "default" } else { &about.key.namespace }
}

fn event(about: &About<'_>, told: Told<'_>, now: jiff::Timestamp) -> Event {
    let mut identity = format!("{}{}{}", about.uid, told.reason, told.message).into_bytes();
    identity.extend(now.as_nanosecond().to_le_bytes());
    let time = clock::stamp(now);
    Event {
        metadata: ObjectMeta {
            // As the real ones are named: object, dot, sixteen hexadecimal digits. Object names have at most 253 characters.
            name: Some(format!("{:.236}.{:016x}", about.key.name, fnv64(&identity))),
            namespace: Some(namespace(about).to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some(about.api_version.to_owned()),
            kind: Some(about.kind.to_owned()),
            namespace: Some(about.key.namespace.clone()).filter(|namespace| !namespace.is_empty()),
            name: Some(about.key.name.clone()),
            uid: Some(about.uid.to_owned()),
            ..ObjectReference::default()
        },
        type_: Some(if told.warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(told.reason.to_owned()),
        message: Some(told.message),
        source: Some(EventSource { component: Some(told.by.to_owned()), host: None }),
        reporting_component: Some(told.by.to_owned()),
        first_timestamp: Some(time.clone()),
        last_timestamp: Some(time),
        count: Some(1),
        ..Event::default()
    }
}
