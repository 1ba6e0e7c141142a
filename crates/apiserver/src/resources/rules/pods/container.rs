//! What is wrong with a container.

use std::collections::HashSet;

use serde_json::Value;

use super::{amounts, check_one_of, check_range, handlers, list, text};
use crate::{failure::Cause, resources::rules::names};

/// Fields of a pod that a variable may have as its value.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// The parts of a security context, as the real server tells them.
const SECURITY: [&str; 12] = [
    "capabilities",
    "privileged",
    "seLinuxOptions",
    "windowsOptions",
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "readOnlyRootFilesystem",
    "allowPrivilegeEscalation",
    "procMount",
    "seccompProfile",
    "appArmorProfile",
];
const SOURCES: [&str; 4] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"];

pub(super) fn check(
    container: &Value,
    field: &str,
    volumes: &HashSet<&str>,
    causes: &mut Vec<Cause>,
) {
    let image = text(container, "/image");
    if image.is_empty() {
        causes.push(Cause::required(format!("{field}.image"), ""));
    } else if image != image.trim() {
        let detail = "must not have leading or trailing whitespace";
        causes.push(Cause::invalid(format!("{field}.image"), &image.into(), detail));
    }
    check_ports(container, field, causes);
    check_variables(container, field, causes);
    for mount in list(container, "envFrom") {
        if mount.get("configMapRef").is_none() && mount.get("secretRef").is_none() {
            // Its place in the list is not told.
            let detail = "must specify one of: `configMapRef` or `secretRef`";
            causes.push(Cause::invalid(format!("{field}.envFrom"), &"".into(), detail));
        }
    }
    check_mounts(container, field, volumes, causes);
    handlers::check(container, field, causes);
    check_one_of(
        container,
        "terminationMessagePolicy",
        &["File", "FallbackToLogsOnError"],
        field,
        causes,
    );
    check_one_of(container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], field, causes);
    amounts::check(container.get("resources").unwrap_or(&Value::Null), field, causes);
    if let Some(security) = container.get("securityContext") {
        check_escalation(security, &format!("{field}.securityContext"), causes);
    }
}

/// Who may do everything cannot be kept from getting more rights.
fn check_escalation(security: &Value, field: &str, causes: &mut Vec<Cause>) {
    let is = |name: &str, wanted: bool| security.get(name) == Some(&wanted.into());
    if !is("allowPrivilegeEscalation", false) {
        return;
    }
    let added = security.pointer("/capabilities/add").and_then(Value::as_array);
    let all = added.into_iter().flatten().any(|it| it == "CAP_SYS_ADMIN");
    let told = || {
        let own = |name: &&str| {
            let title = name[..1].to_uppercase() + &name[1..];
            (title.replace("SeLinux", "SELinux"), security.get(*name).cloned().unwrap_or_default())
        };
        Value::Object(SECURITY.iter().map(own).collect())
    };
    let beginning = "cannot set `allowPrivilegeEscalation` to false and";
    if is("privileged", true) {
        let detail = format!("{beginning} `privileged` to true");
        causes.push(Cause::invalid(field, &told(), &detail));
    }
    if all {
        let detail = format!("{beginning} `capabilities.Add` CAP_SYS_ADMIN");
        causes.push(Cause::invalid(field, &told(), &detail));
    }
}

fn check_ports(container: &Value, field: &str, causes: &mut Vec<Cause>) {
    let mut taken = HashSet::new();
    for (position, port) in list(container, "ports").enumerate() {
        let place = format!("{field}.ports[{position}]");
        let name = text(port, "/name");
        if !name.is_empty() {
            let problems = names::port_name_problems(name);
            if problems.is_empty() && taken.contains(&name) {
                causes.push(Cause::duplicate(format!("{place}.name"), &name.into()));
            }
            let cause = |problem| Cause::invalid(format!("{place}.name"), &name.into(), problem);
            causes.extend(problems.into_iter().map(cause));
            taken.insert(name);
        }
        if port.get("containerPort").and_then(Value::as_i64).unwrap_or(0) == 0 {
            causes.push(Cause::required(format!("{place}.containerPort"), ""));
        } else {
            check_range(port, "containerPort", 1..=65535, &place, causes);
        }
        if port.get("hostPort").is_some_and(|port| port != 0) {
            check_range(port, "hostPort", 1..=65535, &place, causes);
        }
        check_one_of(port, "protocol", &["SCTP", "TCP", "UDP"], &place, causes);
    }
}

fn check_variables(container: &Value, field: &str, causes: &mut Vec<Cause>) {
    for (position, variable) in list(container, "env").enumerate() {
        let place = format!("{field}.env[{position}]");
        let name = text(variable, "/name");
        if name.is_empty() {
            causes.push(Cause::required(format!("{place}.name"), ""));
        } else if !name.chars().all(|it| (it == ' ' || it.is_ascii_graphic()) && it != '=') {
            let detail = "a valid environment variable name must consist only of printable ASCII characters other than '='";
            causes.push(Cause::invalid(format!("{place}.name"), &name.into(), detail));
        }
        let Some(source) = variable.get("valueFrom") else { continue };
        let place = format!("{place}.valueFrom");
        if !text(variable, "/value").is_empty() {
            let detail = "may not be specified when `value` is not empty";
            causes.push(Cause::invalid(place, &"".into(), detail));
            continue;
        }
        check_source(source, &place, causes);
    }
}

fn check_source(source: &Value, place: &str, causes: &mut Vec<Cause>) {
    if SOURCES.iter().all(|name| source.get(name).is_none()) {
        let detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
        causes.push(Cause::invalid(place, &"".into(), detail));
    }
    for name in ["configMapKeyRef", "secretKeyRef"] {
        if let Some(reference) = source.get(name)
            && text(reference, "/key").is_empty()
        {
            causes.push(Cause::required(format!("{place}.{name}.key"), ""));
        }
    }
    if let Some(reference) = source.get("fieldRef") {
        let place = format!("{place}.fieldRef.fieldPath");
        let path = text(reference, "/fieldPath");
        let of_map = ["metadata.labels['", "metadata.annotations['"];
        if path.is_empty() {
            causes.push(Cause::required(place, ""));
        } else if !FIELDS.contains(&path) && !of_map.iter().any(|start| path.starts_with(start)) {
            let detail = format!("error converting fieldPath: field label not supported: {path}");
            causes.push(Cause::invalid(place, &path.into(), &detail));
        }
    }
}

fn check_mounts(container: &Value, field: &str, volumes: &HashSet<&str>, causes: &mut Vec<Cause>) {
    let mut taken = HashSet::new();
    for (position, mount) in list(container, "volumeMounts").enumerate() {
        let place = format!("{field}.volumeMounts[{position}]");
        let name = mount.get("name").unwrap_or(&Value::Null);
        let path = text(mount, "/mountPath");
        if !volumes.contains(name.as_str().unwrap_or_default()) {
            causes.push(Cause::not_found(format!("{place}.name"), name));
        }
        if path.is_empty() {
            causes.push(Cause::required(format!("{place}.mountPath"), ""));
        }
        if !taken.insert(path) {
            let detail = "must be unique";
            causes.push(Cause::invalid(format!("{place}.mountPath"), &path.into(), detail));
        }
        let within = text(mount, "/subPath");
        if within.split('/').any(|part| part == "..") {
            // Its place in the list is not told.
            let place = format!("{field}.volumeMounts.subPath");
            causes.push(Cause::invalid(place, &within.into(), "must not contain '..'"));
        }
    }
}
