//! From the API's objects to the directory's.

use std::{collections::BTreeMap, net::Ipv4Addr};

use k8s_openapi::api::core::v1;

use super::{Endpoint, Port, Reach, Service};

/// `None` for a service that cannot be found by any name yet.
pub(super) fn service(service: &v1::Service) -> Option<Service> {
    let spec = service.spec.as_ref()?;
    let reach = if spec.type_.as_deref() == Some("ExternalName") {
        Reach::ExternalName(spec.external_name.clone()?)
    } else {
        match spec.cluster_ip.as_deref()? {
            "None" => Reach::Headless,
            address => Reach::ClusterIp(address.parse().ok()?),
        }
    };
    let ports = spec.ports.iter().flatten().filter_map(|port| {
        Some(Port {
            name: port.name.clone().unwrap_or_default(),
            number: u16::try_from(port.port).ok()?,
            protocol: port.protocol.clone().unwrap_or_else(|| "TCP".to_owned()),
        })
    });
    Some(Service {
        reach,
        publish_not_ready: spec.publish_not_ready_addresses.unwrap_or_default(),
        ports: ports.collect(),
    })
}

pub(super) fn endpoints(endpoints: &v1::Endpoints) -> Vec<Endpoint> {
    let mut found: BTreeMap<Ipv4Addr, Endpoint> = BTreeMap::new();
    for subset in endpoints.subsets.iter().flatten() {
        let ports: BTreeMap<String, u16> = subset
            .ports
            .iter()
            .flatten()
            .filter_map(|port| {
                Some((port.name.clone().unwrap_or_default(), u16::try_from(port.port).ok()?))
            })
            .collect();
        let ready = subset.addresses.iter().flatten().map(|address| (address, true));
        let unready = subset.not_ready_addresses.iter().flatten().map(|address| (address, false));
        for (address, ready) in ready.chain(unready) {
            let Ok(ip) = address.ip.parse() else { continue };
            let endpoint = found.entry(ip).or_insert_with(|| Endpoint {
                address: ip,
                hostname: address.hostname.clone(),
                ready,
                ports: BTreeMap::new(),
            });
            // An address that is ready for one port and not for another counts as ready.
            endpoint.ready |= ready;
            endpoint.ports.extend(ports.clone());
        }
    }
    found.into_values().collect()
}
