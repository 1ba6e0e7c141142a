//! Which cluster IPs and node ports are taken.

use std::{
    collections::HashSet,
    net::Ipv4Addr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use crate::{Settings, failure::Cause, settings::AddressRange};

#[derive(Default)]
struct Taken {
    addresses: HashSet<Ipv4Addr>,
    ports: HashSet<u16>,
    next_address: u32,
    next_port: u16,
}

/// Cluster IPs and node ports, each given to one service at a time.
pub(crate) struct Allocation {
    range: AddressRange,
    ports: (u16, u16),
    taken: Mutex<Taken>,
}

/// What was taken for one service; given back unless it is kept.
pub(crate) struct Reservation<'a> {
    allocation: &'a Allocation,
    addresses: Vec<Ipv4Addr>,
    ports: Vec<u16>,
}

impl Allocation {
    /// Starts with what the existing services have.
    pub(crate) fn new<'a>(settings: &Settings, services: impl Iterator<Item = &'a Value>) -> Self {
        let mut taken =
            Taken { next_address: 1, next_port: settings.node_ports.0, ..Taken::default() };
        for service in services {
            taken.addresses.extend(addresses(service));
            taken.ports.extend(node_ports(service));
        }
        Self { range: settings.service_range, ports: settings.node_ports, taken: Mutex::new(taken) }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a service the addresses and ports it asks for or lacks; `old` is its state before, whose own it may keep.
    pub(crate) fn reserve(
        &self,
        service: &mut Value,
        old: Option<&Value>,
    ) -> Result<Reservation<'_>, Vec<Cause>> {
        let mut reservation =
            Reservation { allocation: self, addresses: Vec::new(), ports: Vec::new() };
        let kind =
            service.pointer("/spec/type").and_then(Value::as_str).unwrap_or("ClusterIP").to_owned();
        let Some(spec) = service.get_mut("spec") else { return Ok(reservation) };
        if kind == "ExternalName" {
            return Ok(reservation);
        }
        self.reserve_address(spec, old, &mut reservation)?;
        let wants_ports = kind == "NodePort"
            || (kind == "LoadBalancer"
                && spec.get("allocateLoadBalancerNodePorts") != Some(&false.into()));
        self.reserve_ports(spec, old, wants_ports, &mut reservation)?;
        Ok(reservation)
    }

    fn reserve_address(
        &self,
        spec: &mut Value,
        old: Option<&Value>,
        reservation: &mut Reservation<'_>,
    ) -> Result<(), Vec<Cause>> {
        let asked = spec
            .get("clusterIP")
            .and_then(Value::as_str)
            .filter(|asked| !asked.is_empty())
            .or_else(|| spec.pointer("/clusterIPs/0").and_then(Value::as_str))
            .unwrap_or_default()
            .to_owned();
        let address = if asked == "None" {
            asked
        } else if asked.is_empty() {
            let address = self.take_any_address().ok_or_else(|| {
                let detail =
                    format!("failed to allocate a serviceIP: range {} is full", self.range);
                vec![Cause::forbidden("spec.clusterIPs", &detail)]
            })?;
            reservation.addresses.push(address);
            address.to_string()
        } else {
            let refuse = |detail: &str| {
                vec![Cause::invalid("spec.clusterIPs", &serde_json::json!([asked]), detail)]
            };
            let address: Ipv4Addr = asked.parse().map_err(|_| {
                let form = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
                vec![Cause::invalid("spec.clusterIPs[0]", &asked.as_str().into(), form)]
            })?;
            if !old.is_some_and(|old| addresses(old).contains(&address)) {
                if !self.range.contains(address) {
                    return Err(refuse(&format!(
                        "failed to allocate IP {address}: the provided network does not match the current range"
                    )));
                }
                if !self.lock().addresses.insert(address) {
                    return Err(refuse(&format!(
                        "failed to allocate IP {address}: provided IP is already allocated"
                    )));
                }
                reservation.addresses.push(address);
            }
            asked
        };
        spec["clusterIPs"] = serde_json::json!([address]);
        spec["clusterIP"] = address.into();
        if spec.get("ipFamilies").is_none_or(Value::is_null) {
            spec["ipFamilies"] = serde_json::json!(["IPv4"]);
        }
        if spec.get("ipFamilyPolicy").is_none_or(Value::is_null) {
            spec["ipFamilyPolicy"] = "SingleStack".into();
        }
        Ok(())
    }

    fn take_any_address(&self) -> Option<Ipv4Addr> {
        let mut taken = self.lock();
        let size = self.range.size();
        for _ in 0..size {
            let offset = taken.next_address.max(1);
            taken.next_address = (offset + 1) % (size - 1);
            let address = self.range.nth(offset);
            // The first address is the API's own, and the tenth by custom the DNS server's.
            if offset != 1 && offset != 10 && taken.addresses.insert(address) {
                return Some(address);
            }
        }
        None
    }

    fn reserve_ports(
        &self,
        spec: &mut Value,
        old: Option<&Value>,
        wanted: bool,
        reservation: &mut Reservation<'_>,
    ) -> Result<(), Vec<Cause>> {
        let owned: Vec<u16> = old.map(node_ports).unwrap_or_default();
        let ports = spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten();
        for (position, port) in ports.enumerate() {
            let asked = port
                .get("nodePort")
                .and_then(Value::as_u64)
                .and_then(|number| u16::try_from(number).ok());
            match asked.filter(|asked| *asked != 0) {
                Some(asked) if owned.contains(&asked) => {}
                Some(asked) => {
                    let field = format!("spec.ports[{position}].nodePort");
                    if !(self.ports.0..=self.ports.1).contains(&asked) {
                        let detail = format!(
                            "provided port is not in the valid range. The range of valid ports is {}-{}",
                            self.ports.0, self.ports.1
                        );
                        return Err(vec![Cause::invalid(field, &asked.into(), &detail)]);
                    }
                    if !self.lock().ports.insert(asked) {
                        return Err(vec![Cause::invalid(
                            field,
                            &asked.into(),
                            "provided port is already allocated",
                        )]);
                    }
                    reservation.ports.push(asked);
                }
                None if wanted => {
                    let number = self.take_any_port().ok_or_else(|| {
                        vec![Cause::forbidden(
                            "spec.ports",
                            "failed to allocate a nodePort: range is full",
                        )]
                    })?;
                    reservation.ports.push(number);
                    port["nodePort"] = number.into();
                }
                None => {}
            }
        }
        Ok(())
    }

    fn take_any_port(&self) -> Option<u16> {
        let mut taken = self.lock();
        for _ in self.ports.0..=self.ports.1 {
            let port = taken.next_port;
            taken.next_port = if port >= self.ports.1 { self.ports.0 } else { port + 1 };
            if taken.ports.insert(port) {
                return Some(port);
            }
        }
        None
    }

    /// Gives back what a service had and no longer has.
    pub(crate) fn release(&self, old: &Value, new: Option<&Value>) {
        let kept_addresses = new.map(addresses).unwrap_or_default();
        let kept_ports = new.map(node_ports).unwrap_or_default();
        let mut taken = self.lock();
        for address in addresses(old).iter().filter(|address| !kept_addresses.contains(address)) {
            taken.addresses.remove(address);
        }
        for port in node_ports(old).iter().filter(|port| !kept_ports.contains(port)) {
            taken.ports.remove(port);
        }
    }
}

impl Reservation<'_> {
    /// The service was stored with them.
    pub(crate) fn keep(mut self) {
        self.addresses.clear();
        self.ports.clear();
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.addresses.is_empty() && self.ports.is_empty() {
            return;
        }
        let mut taken = self.allocation.lock();
        for address in &self.addresses {
            taken.addresses.remove(address);
        }
        for port in &self.ports {
            taken.ports.remove(port);
        }
    }
}

fn addresses(service: &Value) -> Vec<Ipv4Addr> {
    let list = service.pointer("/spec/clusterIPs").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).filter_map(|address| address.parse().ok()).collect()
}

fn node_ports(service: &Value) -> Vec<u16> {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array).into_iter().flatten();
    ports
        .filter_map(|port| port.get("nodePort").and_then(Value::as_u64))
        .filter_map(|number| u16::try_from(number).ok())
        .filter(|number| *number != 0)
        .collect()
}
