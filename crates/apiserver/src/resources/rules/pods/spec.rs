//! What is wrong with a pod's specification.

use std::collections::HashSet;

use serde_json::Value;

use super::{check_one_of, check_range, container, list, placement, text, volumes};
use crate::{failure::Cause, resources::rules::names};

/// Everything that is wrong with it; `field` is where it stands.
pub(crate) fn check_pod_spec(spec: &Value, field: &str, causes: &mut Vec<Cause>) {
    volumes::check(spec, field, causes);
    let names: HashSet<&str> = list(spec, "volumes").map(|volume| text(volume, "/name")).collect();
    if list(spec, "containers").next().is_none() {
        causes.push(Cause::required(format!("{field}.containers"), ""));
    }
    let mut taken: HashSet<&str> = HashSet::new();
    // An init container may not have the name of another container, and is the one that is told so.
    for group in ["containers", "initContainers"] {
        check_names(spec, group, field, &mut taken, causes);
        for (position, one) in list(spec, group).enumerate() {
            let place = format!("{field}.{group}[{position}]");
            container::check(one, &place, &names, causes);
        }
    }
    check_host_ports(spec, field, causes);
    let policies = ["Always", "OnFailure", "Never"];
    check_one_of(spec, "restartPolicy", &policies, field, causes);
    let dns = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    check_one_of(spec, "dnsPolicy", &dns, field, causes);
    if text(spec, "/dnsPolicy") == "None" && spec.get("dnsConfig").is_none() {
        let detail = "must provide `dnsConfig` when `dnsPolicy` is None";
        causes.push(Cause::required(format!("{field}.dnsConfig"), detail));
    }
    check_range(spec, "activeDeadlineSeconds", 1..=i64::from(i32::MAX), field, causes);
    if let Some(security) = spec.get("securityContext") {
        let place = format!("{field}.securityContext");
        for id in ["runAsUser", "runAsGroup", "fsGroup"] {
            check_range(security, id, 0..=i64::from(i32::MAX), &place, causes);
        }
    }
    check_addresses(spec, field, causes);
    placement::check(spec, field, causes);
}

fn check_addresses(spec: &Value, field: &str, causes: &mut Vec<Cause>) {
    let hostname = text(spec, "/hostname");
    if !hostname.is_empty()
        && let Some(problem) = names::label_problem(hostname)
    {
        causes.push(Cause::invalid(format!("{field}.hostname"), &hostname.into(), &problem));
    }
    for (position, alias) in list(spec, "hostAliases").enumerate() {
        let address = alias.get("ip").unwrap_or(&Value::Null);
        if text(alias, "/ip").parse::<std::net::IpAddr>().is_err() {
            let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            causes.push(Cause::invalid(
                format!("{field}.hostAliases[{position}].ip"),
                address,
                detail,
            ));
        }
    }
}

fn check_host_ports(spec: &Value, field: &str, causes: &mut Vec<Cause>) {
    if spec.get("hostNetwork").and_then(Value::as_bool) != Some(true) {
        return;
    }
    for (number, container) in list(spec, "containers").enumerate() {
        for (position, port) in list(container, "ports").enumerate() {
            let host = port.get("hostPort").unwrap_or(&Value::Null);
            if Some(host) != port.get("containerPort") {
                let place = format!("{field}.containers[{number}].ports[{position}].hostPort");
                let detail = "must match `containerPort` when `hostNetwork` is true";
                causes.push(Cause::invalid(place, host, detail));
            }
        }
    }
}

fn check_names<'a>(
    spec: &'a Value,
    group: &str,
    field: &str,
    taken: &mut HashSet<&'a str>,
    causes: &mut Vec<Cause>,
) {
    for (position, item) in list(spec, group).enumerate() {
        let place = format!("{field}.{group}[{position}].name");
        let name = text(item, "/name");
        if name.is_empty() {
            causes.push(Cause::required(place, ""));
        } else if let Some(problem) = names::label_problem(name) {
            causes.push(Cause::invalid(place, &name.into(), &problem));
        } else if taken.contains(name) {
            causes.push(Cause::duplicate(place, &name.into()));
        }
        taken.insert(name);
    }
}
