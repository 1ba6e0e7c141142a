//! Variables that tell a pod where the services of its namespace are.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use crate::directory::{Index, Port, Reach};

/// The variables of the API server and, with `links`, of all services of the namespace.
pub(crate) fn service_variables(
    index: &Index,
    namespace: &str,
    links: bool,
    api: SocketAddr,
) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut has_api = false;
    for ((of, name), service) in &index.services {
        let is_api = of == "default" && name == "kubernetes";
        let Reach::ClusterIp(address) = service.reach else { continue };
        if is_api || (links && of == namespace) {
            has_api |= is_api;
            add(&mut variables, name, address, &service.ports);
        }
    }
    if !has_api && let SocketAddr::V4(api) = api {
        let port =
            Port { name: "https".to_owned(), number: api.port(), protocol: "TCP".to_owned() };
        add(&mut variables, "kubernetes", *api.ip(), &[port]);
    }
    variables
}

fn add(variables: &mut BTreeMap<String, String>, name: &str, address: Ipv4Addr, ports: &[Port]) {
    let prefix = name.to_uppercase().replace('-', "_");
    let Some(first) = ports.first() else { return };
    variables.insert(format!("{prefix}_SERVICE_HOST"), address.to_string());
    variables.insert(format!("{prefix}_SERVICE_PORT"), first.number.to_string());
    let url = |port: &Port| format!("{}://{address}:{}", port.protocol.to_lowercase(), port.number);
    variables.insert(format!("{prefix}_PORT"), url(first));
    for port in ports {
        if !port.name.is_empty() {
            let name = port.name.to_uppercase().replace('-', "_");
            variables.insert(format!("{prefix}_SERVICE_PORT_{name}"), port.number.to_string());
        }
        let link = format!("{prefix}_PORT_{}_{}", port.number, port.protocol.to_uppercase());
        variables.insert(format!("{link}_PROTO"), port.protocol.to_lowercase());
        variables.insert(format!("{link}_PORT"), port.number.to_string());
        variables.insert(format!("{link}_ADDR"), address.to_string());
        variables.insert(link, url(port));
    }
}
