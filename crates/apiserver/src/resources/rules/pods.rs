//! The rules of pods, and of the pod templates in other kinds.

use std::collections::HashSet;

use serde_json::{Value, json};

pub(super) use self::spec::check_pod_spec;
use super::{Rules, child, default_to, items, names, text, write_empty};
use crate::failure::Cause;

mod amounts;
mod container;
mod gates;
mod handlers;
mod placement;
mod spec;
mod status;
mod volumes;
pub(super) mod warnings;

const DEADLINE: &str = "/spec/activeDeadlineSeconds";

/// Pods.
pub(crate) struct Pods;

impl Rules for Pods {
    fn default(&self, object: &mut Value) {
        if let Some(spec) = child(object, "spec") {
            default_pod_spec(spec);
            default_to(spec, "enableServiceLinks", true);
            for list in ["initContainers", "containers"] {
                items(spec, list).for_each(default_requests);
            }
        }
    }

    fn complete(&self, object: &mut Value) {
        let grace = object.pointer_mut("/spec/terminationGracePeriodSeconds");
        if let Some(grace) = grace.filter(|grace| grace.as_i64().is_some_and(|it| it < 0)) {
            *grace = 1.into();
        }
        status::complete(object);
    }

    fn prepare_status(&self, new: &mut Value, old: &Value) {
        let class = old.pointer("/status/qosClass").cloned();
        if let (Some(status), Some(class)) = (child(new, "status"), class) {
            write_empty(status, "qosClass", class);
        }
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        warnings::of(object, "")
    }

    fn warnings_of_new(&self, object: &Value) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(problem) = names::namespace_problem(text(object, "/metadata/name")) {
            all.push(format!(
                "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [{problem}]"
            ));
        }
        all.extend(self.warnings(object));
        all
    }

    fn prepare_create(&self, object: &mut Value) {
        let class = quality_of_service(object.get("spec").unwrap_or(&Value::Null));
        object["status"] = json!({"phase": "Pending", "qosClass": class});
        gates::note(object);
    }

    fn validate(&self, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        check_pod_spec(object.get("spec").unwrap_or(&Value::Null), "spec", &mut causes);
        causes
    }

    fn validate_create(&self, object: &Value) -> Vec<Cause> {
        let given = list(object.get("spec").unwrap_or(&Value::Null), "ephemeralContainers").count();
        let detail = "cannot be set on create";
        let cause = || Cause::forbidden("spec.ephemeralContainers", detail);
        (given > 0).then(cause).into_iter().collect()
    }

    fn validate_update(&self, new: &Value, old: &Value) -> Vec<Cause> {
        for group in ["containers", "initContainers"] {
            let count = |pod: &Value| list(pod.get("spec").unwrap_or(&Value::Null), group).count();
            if count(new) != count(old) {
                let detail = "pod updates may not add or remove containers";
                return vec![Cause::forbidden(format!("spec.{group}"), detail)];
            }
        }
        let mut causes = Vec::new();
        let deadline = |pod: &Value| pod.pointer(DEADLINE).and_then(Value::as_i64);
        match (deadline(new), deadline(old)) {
            (Some(new), Some(old)) if new > old => {
                let detail = "must be less than or equal to previous value";
                return vec![Cause::invalid("spec.activeDeadlineSeconds", &new.into(), detail)];
            }
            (None, Some(_)) => {
                let detail = "must not update from a positive integer to nil value";
                causes.push(Cause::invalid("spec.activeDeadlineSeconds", &Value::Null, detail));
            }
            _ => {}
        }
        if !keeps_tolerations(new, old) {
            let detail = "existing toleration can not be modified except its tolerationSeconds";
            causes.push(Cause::forbidden("spec.tolerations", detail));
        }
        causes.extend(gates::added(new, old));
        let (mut new_spec, old_spec) = (comparable_spec(new), comparable_spec(old));
        if new_spec == old_spec {
            return causes;
        }
        if let Value::Object(map) = &mut new_spec {
            map.retain(|key, value| old_spec.get(key) != Some(value));
        }
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        let changed: Vec<&String> =
            new_spec.as_object().map(|map| map.keys().collect()).unwrap_or_default();
        let detail = format!("{detail}\nchanged: {changed:?}");
        causes.push(Cause::forbidden("spec", &detail));
        causes
    }

    fn grace_period(&self, object: &Value, asked: Option<i64>) -> Option<i64> {
        let own = object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
        let mut period = asked.or(own).unwrap_or(30);
        if period < 0 {
            period = 1;
        }
        let finished = matches!(text(object, "/status/phase"), "Succeeded" | "Failed");
        // Nobody runs it, so nobody would ever finish its deletion.
        if text(object, "/spec/nodeName").is_empty() || finished {
            period = 0;
        }
        Some(period)
    }
}

/// Whether each toleration that was there still is, perhaps for another time.
fn keeps_tolerations(new: &Value, old: &Value) -> bool {
    let all = |pod: &Value| -> HashSet<String> {
        let spec = pod.get("spec").unwrap_or(&Value::Null);
        let timeless = list(spec, "tolerations").map(|toleration| {
            let part = |name: &str| text(toleration, name);
            json!([part("/key"), part("/operator"), part("/value"), part("/effect")]).to_string()
        });
        timeless.collect()
    };
    all(old).is_subset(&all(new))
}

/// What may not be changed in any way.
fn comparable_spec(pod: &Value) -> Value {
    let mut spec = pod.get("spec").cloned().unwrap_or_default();
    for list in ["containers", "initContainers"] {
        for container in items(&mut spec, list) {
            if let Value::Object(map) = container {
                map.shift_remove("image");
            }
        }
    }
    if let Value::Object(map) = &mut spec {
        for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
            map.shift_remove(field);
        }
    }
    spec
}

/// Fills in what a pod's specification leaves out.
pub(super) fn default_pod_spec(spec: &mut Value) {
    default_to(spec, "restartPolicy", "Always");
    default_to(spec, "terminationGracePeriodSeconds", 30);
    default_to(spec, "dnsPolicy", "ClusterFirst");
    default_to(spec, "schedulerName", "default-scheduler");
    child(spec, "securityContext");
    let account = text(spec, "/serviceAccountName").to_owned();
    let deprecated = text(spec, "/serviceAccount").to_owned();
    match (account.is_empty(), deprecated.is_empty()) {
        (false, _) => spec["serviceAccount"] = account.into(),
        (true, false) => spec["serviceAccountName"] = deprecated.into(),
        (true, true) => {}
    }
    let host_network = spec.get("hostNetwork").and_then(Value::as_bool) == Some(true);
    for list in ["initContainers", "containers"] {
        for container in items(spec, list) {
            default_container(container, host_network);
        }
    }
    for volume in items(spec, "volumes") {
        default_volume(volume);
    }
}

fn default_container(container: &mut Value, host_network: bool) {
    let image = text(container, "/image");
    let name = image.rsplit('/').next().unwrap_or_default();
    let latest =
        !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    default_to(container, "imagePullPolicy", if latest { "Always" } else { "IfNotPresent" });
    default_to(container, "terminationMessagePath", "/dev/termination-log");
    default_to(container, "terminationMessagePolicy", "File");
    child(container, "resources");
    for port in items(container, "ports") {
        default_to(port, "protocol", "TCP");
        if host_network && port.get("hostPort").is_none() {
            port["hostPort"] = port.get("containerPort").cloned().unwrap_or_default();
        }
    }
    for variable in items(container, "env") {
        if let Some(field) = variable.pointer_mut("/valueFrom/fieldRef") {
            default_to(field, "apiVersion", "v1");
        }
        if let Some(field) = variable.pointer_mut("/valueFrom/resourceFieldRef") {
            default_to(field, "divisor", "0");
        }
    }
    for hook in ["postStart", "preStop"] {
        if let Some(hook) = container.pointer_mut(&format!("/lifecycle/{hook}")) {
            default_handler(hook);
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).filter(|probe| probe.is_object()) {
            for (field, value) in [
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ] {
                default_to(probe, field, value);
            }
            default_handler(probe);
            if let Some(grpc) = probe.get_mut("grpc") {
                default_to(grpc, "service", "");
            }
        }
    }
}

fn default_handler(handler: &mut Value) {
    if let Some(get) = handler.get_mut("httpGet") {
        default_to(get, "path", "/");
        default_to(get, "scheme", "HTTP");
    }
}

/// A limit without a request is also the request.
fn default_requests(container: &mut Value) {
    let Some(resources) = child(container, "resources") else { return };
    let limits = resources.get("limits").and_then(Value::as_object).cloned().unwrap_or_default();
    if limits.is_empty() {
        return;
    }
    let Some(requests) = child(resources, "requests") else { return };
    for (name, limit) in limits {
        if requests.get(&name).is_none() {
            requests[name] = limit;
        }
    }
}

fn default_volume(volume: &mut Value) {
    for source in ["configMap", "secret", "projected", "downwardAPI"] {
        let Some(source) = volume.get_mut(source).filter(|source| source.is_object()) else {
            continue;
        };
        default_to(source, "defaultMode", 420);
        default_field_versions(source);
        for projection in items(source, "sources") {
            if let Some(token) = projection.get_mut("serviceAccountToken") {
                default_to(token, "expirationSeconds", 3600);
            }
            if let Some(downward) = projection.get_mut("downwardAPI") {
                default_field_versions(downward);
            }
        }
    }
    if let Some(host) = volume.get_mut("hostPath").filter(|host| host.is_object())
        && host.get("type").is_none()
    {
        host["type"] = "".into();
    }
    if volume.as_object().is_some_and(|map| map.len() == 1) {
        volume["emptyDir"] = json!({});
    }
}

fn default_field_versions(source: &mut Value) {
    for item in items(source, "items") {
        if let Some(field) = item.get_mut("fieldRef") {
            default_to(field, "apiVersion", "v1");
        }
    }
}

fn quality_of_service(spec: &Value) -> &'static str {
    let containers = ["initContainers", "containers"]
        .iter()
        .flat_map(|list| spec.get(list).and_then(Value::as_array).into_iter().flatten());
    let (mut any, mut guaranteed) = (false, true);
    for container in containers {
        let part = |kind: &str, name: &str| container.pointer(&format!("/resources/{kind}/{name}"));
        for name in ["cpu", "memory"] {
            let (limit, request) = (part("limits", name), part("requests", name));
            any |= limit.is_some() || request.is_some();
            guaranteed &= limit.is_some() && limit == request;
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn list<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    object.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// A text that must be one of some words, if it is there.
fn check_one_of(
    object: &Value,
    name: &str,
    allowed: &[&str],
    field: &str,
    causes: &mut Vec<Cause>,
) {
    let value = text(object, &format!("/{name}"));
    if !value.is_empty() && !allowed.contains(&value) {
        causes.push(Cause::unsupported(format!("{field}.{name}"), &value.into(), allowed));
    }
}

/// A number that must lie in a range, if it is there.
fn check_range(
    object: &Value,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
    field: &str,
    causes: &mut Vec<Cause>,
) {
    let Some(value) = object.get(name) else { return };
    if value.as_i64().is_some_and(|number| !range.contains(&number)) {
        let detail = match (*range.start(), *range.end()) {
            (start, i64::MAX) => format!("must be greater than or equal to {start}"),
            (start, end) => format!("must be between {start} and {end}, inclusive"),
        };
        causes.push(Cause::invalid(format!("{field}.{name}"), value, &detail));
    }
}
