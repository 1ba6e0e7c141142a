//! The downward API: what a pod may know about itself.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{Container, Pod, ResourceFieldSelector},
    apimachinery::pkg::api::resource::Quantity,
};

/// What the kubelet knows and the specification does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) pod_ip: String,
    pub(crate) host_ip: String,
    pub(crate) node_name: String,
    /// What a container without limits may use.
    pub(crate) allocatable_cpu_millis: u64,
    pub(crate) allocatable_memory_bytes: u64,
}

/// The value of a field such as `metadata.labels['app']`.
pub(crate) fn field(pod: &Pod, path: &str, facts: &Facts) -> Option<String> {
    let metadata = &pod.metadata;
    let spec = pod.spec.as_ref();
    let text = |value: &Option<String>| Some(value.clone().unwrap_or_default());
    match path {
        "metadata.name" => text(&metadata.name),
        "metadata.namespace" => text(&metadata.namespace),
        "metadata.uid" => text(&metadata.uid),
        "metadata.labels" => Some(render_map(metadata.labels.as_ref())),
        "metadata.annotations" => Some(render_map(metadata.annotations.as_ref())),
        "spec.nodeName" => Some(facts.node_name.clone()),
        "spec.serviceAccountName" => text(&spec?.service_account_name),
        "status.podIP" | "status.podIPs" => Some(facts.pod_ip.clone()),
        "status.hostIP" | "status.hostIPs" => Some(facts.host_ip.clone()),
        _ => {
            let (map, key) = path.strip_suffix("']")?.split_once("['")?;
            let values = match map {
                "metadata.labels" => metadata.labels.as_ref(),
                "metadata.annotations" => metadata.annotations.as_ref(),
                _ => return None,
            };
            Some(values.and_then(|values| values.get(key)).cloned().unwrap_or_default())
        }
    }
}

/// One line `key="value"` per entry.
fn render_map(values: Option<&BTreeMap<String, String>>) -> String {
    let lines: Vec<String> =
        values.into_iter().flatten().map(|(key, value)| format!("{key}={value:?}")).collect();
    lines.join("\n")
}

/// The value of a resource field; a missing limit is what the node has.
pub(crate) fn resource(
    pod: &Pod,
    container: Option<&Container>,
    selector: &ResourceFieldSelector,
    facts: &Facts,
) -> Option<String> {
    let named = selector.container_name.as_deref().filter(|name| !name.is_empty());
    let container = match named {
        Some(name) => {
            let spec = pod.spec.as_ref()?;
            spec.containers
                .iter()
                .chain(spec.init_containers.iter().flatten())
                .find(|c| c.name == name)
        }
        None => container,
    }?;
    let (section, kind) = selector.resource.split_once('.')?;
    let resources = container.resources.as_ref();
    let limits = resources.and_then(|r| r.limits.as_ref()).and_then(|limits| limits.get(kind));
    let requests =
        resources.and_then(|r| r.requests.as_ref()).and_then(|requests| requests.get(kind));
    let (given, fallback) = match (section, kind) {
        ("limits", "cpu") => (limits, u128::from(facts.allocatable_cpu_millis)),
        ("limits", "memory") => (limits, u128::from(facts.allocatable_memory_bytes) * 1000),
        ("limits", _) => (limits, 0),
        // A request that is not given is the limit.
        ("requests", _) => (requests.or(limits), 0),
        _ => return None,
    };
    let thousandths = match given {
        Some(quantity) => parse_thousandths(quantity)?,
        None => fallback,
    };
    let divisor = match selector.divisor.as_ref().map(parse_thousandths) {
        None => 1000,
        Some(divisor) => divisor.filter(|divisor| *divisor > 0).unwrap_or(1000),
    };
    Some(thousandths.div_ceil(divisor).to_string())
}

/// A quantity in thousandths of its unit.
pub(crate) fn parse_thousandths(quantity: &Quantity) -> Option<u128> {
    let text = quantity.0.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let (numerator, denominator): (u128, u128) = match suffix {
        "n" => (1, 1_000_000),
        "u" => (1, 1_000),
        "m" => (1, 1),
        "" => (1_000, 1),
        "k" => (1_000_000, 1),
        "M" => (1_000_000_000, 1),
        "G" => (1_000_000_000_000, 1),
        "T" => (1_000_000_000_000_000, 1),
        "Ki" => (1_000 << 10, 1),
        "Mi" => (1_000 << 20, 1),
        "Gi" => (1_000 << 30, 1),
        "Ti" => (1_000 << 40, 1),
        _ => (1_000 * 10_u128.checked_pow(suffix.strip_prefix(['e', 'E'])?.parse().ok()?)?, 1),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    Some(digits.checked_mul(numerator)?.div_ceil(denominator * scale))
}
