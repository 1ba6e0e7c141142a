//! What an object takes of quotas, by its kind.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    amount::{Amount, Amounts},
    pod,
    scope::Spec,
};

const CLASS: &str = ".storageclass.storage.k8s.io/";
const OF_CLAIMS: [&str; 2] = ["persistentvolumeclaims", "requests.storage"];
/// Kinds of the core group that also have a short name in quotas, which is that of their path.
const SHORT: [&str; 4] = ["configmaps", "resourcequotas", "replicationcontrollers", "secrets"];

/// A kind of objects as paths name it: group and plural.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind<'a> {
    /// Empty for the core group.
    pub group: &'a str,
    /// `pods`.
    pub plural: &'a str,
}

impl Kind<'_> {
    /// Events are counted by no quota.
    pub(crate) fn is_counted(self) -> bool {
        !(self.plural == "events" && matches!(self.group, "" | "events.k8s.io"))
    }

    /// Whether objects of the kind take more or less by what they say.
    pub fn is_measured(self) -> bool {
        self.group.is_empty()
            && matches!(self.plural, "pods" | "services" | "persistentvolumeclaims")
    }

    fn count_name(self) -> String {
        if self.group.is_empty() {
            format!("count/{}", self.plural)
        } else {
            format!("count/{}.{}", self.plural, self.group)
        }
    }

    /// Whether a quota's name of something is of objects of this kind.
    fn is_meant(self, name: &str) -> bool {
        if name == self.count_name() {
            return true;
        }
        if !self.group.is_empty() {
            return false;
        }
        match self.plural {
            "pods" => pod::NAMES.contains(&name) || pod::is_of_devices(name),
            "services" => {
                matches!(name, "services" | "services.nodeports" | "services.loadbalancers")
            }
            "persistentvolumeclaims" => {
                let name = name.split_once(CLASS).map_or(name, |(_, name)| name);
                OF_CLAIMS.contains(&name)
            }
            plural => SHORT.contains(&plural) && name == plural,
        }
    }

    /// Those of the names in a quota that objects of this kind take from.
    pub fn taken_from<'n>(self, names: impl Iterator<Item = &'n String>) -> Vec<String> {
        if !self.is_counted() {
            return Vec::new();
        }
        names.filter(|name| self.is_meant(name)).cloned().collect()
    }
}

/// Whether a quota counts an object.
pub fn covers(spec: &Spec, kind: Kind<'_>, object: &Value) -> bool {
    let is_pod = kind.group.is_empty() && kind.plural == "pods";
    spec.selects(is_pod.then_some(object))
}

/// Everything that an object takes now, whether a quota counts it or not.
pub fn usage(kind: Kind<'_>, object: &Value, now: Timestamp) -> Amounts {
    let one = |name: String| (name, Amount::count(1));
    match (kind.group, kind.plural) {
        ("", "pods") => pod::usage(object, now),
        ("", "services") => service(object),
        ("", "persistentvolumeclaims") => claim(object),
        (group, plural) => {
            let short = group.is_empty() && SHORT.contains(&plural);
            let short = short.then(|| plural.to_owned());
            std::iter::once(kind.count_name()).chain(short).map(one).collect()
        }
    }
}

fn service(service: &Value) -> Amounts {
    let spec = service.get("spec").unwrap_or(&Value::Null);
    let ports = spec.get("ports").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let kind = spec.get("type").and_then(Value::as_str).unwrap_or_default();
    let balanced = kind == "LoadBalancer";
    let asked = ports.iter().filter(|port| port.get("nodePort").is_some_and(|port| *port != 0));
    let node_ports = match kind {
        "LoadBalancer" if spec.get("allocateLoadBalancerNodePorts") == Some(&false.into()) => {
            asked.count()
        }
        "LoadBalancer" | "NodePort" => ports.len(),
        _ => 0,
    };
    let counts = [
        ("count/services", 1),
        ("services", 1),
        ("services.nodeports", node_ports),
        ("services.loadbalancers", usize::from(balanced)),
    ];
    counts.into_iter().map(|(name, count)| (name.to_owned(), Amount::count(count))).collect()
}

fn claim(claim: &Value) -> Amounts {
    let text = |pointer: &str| claim.pointer(pointer).and_then(Value::as_str);
    // The annotation is how classes were named before they had a field.
    let class = text("/metadata/annotations/volume.beta.kubernetes.io~1storage-class")
        .or_else(|| text("/spec/storageClassName"))
        .filter(|class| !class.is_empty());
    let one = Amount::count(1);
    let mut usage = Amounts::from([("count/persistentvolumeclaims".to_owned(), one)]);
    let asked = text("/spec/resources/requests/storage").and_then(Amount::parse).map(Amount::whole);
    for (name, amount) in OF_CLAIMS.into_iter().zip([Some(one), asked]) {
        let Some(amount) = amount else { continue };
        usage.insert(name.to_owned(), amount);
        usage.extend(class.map(|class| (format!("{class}{CLASS}{name}"), amount)));
    }
    usage
}
