use flumen_model::Namespace;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::{Api, api::ListParams};

use crate::{Cluster, Error};

/// Something that a part of Kubernetes said about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSeen {
    /// One word, for example `FailedScheduling`.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// Whether it is a warning.
    pub warning: bool,
    /// How often it was said.
    pub count: i32,
    /// When it was said last.
    pub last_seen: Option<Timestamp>,
}

impl Cluster {
    /// What was said about an object lately, oldest first. `kind` is for example `Pod`.
    ///
    /// # Errors
    /// [`Error::ListObjects`].
    pub async fn events_of(
        &self,
        namespace: &Namespace,
        kind: &str,
        name: &str,
    ) -> Result<Vec<EventSeen>, Error> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace.as_str());
        let about = ListParams::default()
            .fields(&format!("involvedObject.name={name},involvedObject.kind={kind}"));
        let found = self.read(|| events.list(&about)).await;
        let found = found.map_err(|source| Error::ListObjects {
            what: "events",
            namespace: namespace.to_string(),
            cluster_id: name.to_owned(),
            source,
        })?;
        let mut seen: Vec<_> = found.into_iter().map(reduce).collect();
        seen.sort_by_key(|event| event.last_seen);
        Ok(seen)
    }
}

/// Newer parts of Kubernetes fill `eventTime` and `series`, older ones the other times.
fn reduce(event: Event) -> EventSeen {
    let series = event.series.unwrap_or_default();
    let last_seen = series
        .last_observed_time
        .map(|time| time.0)
        .or(event.last_timestamp.map(|time| time.0))
        .or(event.event_time.map(|time| time.0))
        .or(event.metadata.creation_timestamp.map(|time| time.0));
    EventSeen {
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        warning: event.type_.as_deref() == Some("Warning"),
        count: series.count.or(event.count).unwrap_or(1),
        last_seen,
    }
}
