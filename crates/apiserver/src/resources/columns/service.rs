//! Services and what is behind them.

use serde_json::Value;

use super::{AGE, Column, NAME, integer, list, or_none, string, text, wide};

pub(super) const SERVICE: &[Column] = &[
    NAME,
    text("Type", |service| string(service, "/spec/type").into()),
    text("Cluster-IP", |service| or_none(string(service, "/spec/clusterIP"))),
    text("External-IP", external),
    text("Port(s)", ports),
    AGE,
    wide("Selector", |service| super::workload::labels(service.pointer("/spec/selector"))),
];

pub(super) const ENDPOINTS: &[Column] = &[NAME, text("Endpoints", endpoints), AGE];

pub(super) const ENDPOINT_SLICE: &[Column] = &[
    NAME,
    text("AddressType", |slice| string(slice, "/addressType").into()),
    text("Ports", |slice| {
        let ports = list(slice, "/ports").map(|port| match port.get("port") {
            Some(number) => number.to_string(),
            None => string(port, "/name").to_owned(),
        });
        shortened(ports.collect())
    }),
    text("Endpoints", |slice| {
        let endpoints = list(slice, "/endpoints");
        let addresses = endpoints.flat_map(|endpoint| list(endpoint, "/addresses"));
        shortened(addresses.filter_map(Value::as_str).map(str::to_owned).collect())
    }),
    AGE,
];

/// The first few of a list, and how many more there are.
fn shortened(mut all: Vec<String>) -> Value {
    let more = all.len().saturating_sub(SHOWN);
    all.truncate(SHOWN);
    let shown = all.join(",");
    match (more, shown.is_empty()) {
        (0, true) => "<unset>".into(),
        (0, false) => shown.into(),
        _ => format!("{shown} + {more} more...").into(),
    }
}

/// How many endpoints are shown.
const SHOWN: usize = 3;

fn external(service: &Value) -> Value {
    match string(service, "/spec/type") {
        "ExternalName" => string(service, "/spec/externalName").into(),
        "LoadBalancer" => {
            let ingress: Vec<&str> = list(service, "/status/loadBalancer/ingress")
                .map(|ingress| super::first_of(ingress, &["/ip", "/hostname"]))
                .collect();
            if ingress.is_empty() { "<pending>".into() } else { ingress.join(",").into() }
        }
        _ => "<none>".into(),
    }
}

fn ports(service: &Value) -> Value {
    let ports: Vec<String> = list(service, "/spec/ports")
        .map(|port| {
            let (number, node, protocol) =
                (integer(port, "/port"), integer(port, "/nodePort"), string(port, "/protocol"));
            if node == 0 {
                format!("{number}/{protocol}")
            } else {
                format!("{number}:{node}/{protocol}")
            }
        })
        .collect();
    or_none(&ports.join(","))
}

fn endpoints(object: &Value) -> Value {
    let mut all = Vec::new();
    for subset in list(object, "/subsets") {
        let ports: Vec<i64> = list(subset, "/ports").map(|port| integer(port, "/port")).collect();
        for address in list(subset, "/addresses") {
            let ip = string(address, "/ip");
            if ports.is_empty() {
                all.push(ip.to_owned());
            }
            all.extend(ports.iter().map(|port| format!("{ip}:{port}")));
        }
    }
    let more = all.len().saturating_sub(SHOWN);
    all.truncate(SHOWN);
    let shown = all.join(",");
    if more > 0 { format!("{shown} + {more} more...").into() } else { or_none(&shown) }
}
