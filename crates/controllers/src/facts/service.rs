//! Services and the addresses behind them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::fnv64;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Service {
    pub(crate) labels: BTreeMap<String, String>,
    /// Empty: somebody else keeps the endpoints.
    pub(crate) selector: BTreeMap<String, String>,
    pub(crate) ports: Vec<ServicePort>,
    pub(crate) headless: bool,
    pub(crate) external_name: bool,
    /// Addresses are published before the pods are ready and while they are being deleted.
    pub(crate) publish_not_ready: bool,
    pub(crate) created: Timestamp,
}

impl Service {
    /// Whether the controllers keep its endpoints.
    pub(crate) fn has_endpoints(&self) -> bool {
        !self.selector.is_empty() && !self.external_name
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServicePort {
    pub(crate) name: Option<String>,
    pub(crate) protocol: String,
    pub(crate) app_protocol: Option<String>,
    pub(crate) target: TargetPort,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TargetPort {
    Number(i32),
    /// The name of a container's port.
    Named(String),
}

impl From<&core::Service> for Service {
    fn from(service: &core::Service) -> Self {
        let spec = service.spec.as_ref();
        Self {
            labels: service.metadata.labels.clone().unwrap_or_default(),
            selector: spec.and_then(|spec| spec.selector.clone()).unwrap_or_default(),
            ports: spec
                .iter()
                .flat_map(|spec| spec.ports.iter().flatten())
                .map(service_port)
                .collect(),
            headless: spec.and_then(|spec| spec.cluster_ip.as_deref()) == Some("None"),
            external_name: spec.and_then(|spec| spec.type_.as_deref()) == Some("ExternalName"),
            publish_not_ready: spec
                .and_then(|spec| spec.publish_not_ready_addresses)
                .unwrap_or(false),
            created: service
                .metadata
                .creation_timestamp
                .as_ref()
                .map(|time| time.0)
                .unwrap_or_default(),
        }
    }
}

fn service_port(port: &core::ServicePort) -> ServicePort {
    ServicePort {
        name: port.name.clone().filter(|name| !name.is_empty()),
        protocol: port.protocol.clone().unwrap_or_else(|| "TCP".to_owned()),
        app_protocol: port.app_protocol.clone(),
        target: match &port.target_port {
            Some(IntOrString::Int(number)) if *number != 0 => TargetPort::Number(*number),
            Some(IntOrString::String(name)) if !name.is_empty() => TargetPort::Named(name.clone()),
            _ => TargetPort::Number(port.port),
        },
    }
}

/// Two `Endpoints` with the same digest say the same, but for when they changed.
pub(crate) fn endpoints_digest(endpoints: &core::Endpoints) -> u64 {
    let subsets = endpoints.subsets.as_deref().unwrap_or_default();
    let labels = endpoints.metadata.labels.clone().unwrap_or_default();
    let annotations = endpoints.metadata.annotations.as_ref();
    let truncated = annotations.and_then(|known| known.get(crate::endpoints::OVER_CAPACITY));
    // No part has map keys other than strings, so it always can be written.
    fnv64(&serde_json::to_vec(&(subsets, labels, truncated)).unwrap_or_default())
}
