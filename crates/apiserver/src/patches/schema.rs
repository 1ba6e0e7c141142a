//! Which lists of the API are merged item by item, and by which fields; everything else is replaced as a whole.
//!
//! The real server reads this from the extensions of its OpenAPI document. Here is the part that concerns the
//! kinds of this server; a list that is not named is atomic.

/// How a list or an object at a path is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Replaced as a whole.
    Atomic,
    /// A set of plain values.
    Set,
    /// Items with these fields as their key; the first is the merge key of strategic merge patches.
    Keys(&'static [&'static str]),
    /// An object of fields that are merged one by one.
    Fields,
}

struct Rule {
    /// The end of the path; where two rules fit, the longer one holds.
    path: &'static [&'static str],
    merge: Merge,
}

const fn rule(path: &'static [&'static str], merge: Merge) -> Rule {
    Rule { path, merge }
}

/// Lists, by the end of their path.
const LISTS: &[Rule] = &[
    rule(&["metadata", "finalizers"], Merge::Set),
    rule(&["metadata", "ownerReferences"], Merge::Keys(&["uid"])),
    rule(&["containers"], Merge::Keys(&["name"])),
    rule(&["initContainers"], Merge::Keys(&["name"])),
    rule(&["ephemeralContainers"], Merge::Keys(&["name"])),
    rule(&["spec", "volumes"], Merge::Keys(&["name"])),
    rule(&["imagePullSecrets"], Merge::Keys(&["name"])),
    rule(&["hostAliases"], Merge::Keys(&["ip"])),
    rule(&["topologySpreadConstraints"], Merge::Keys(&["topologyKey", "whenUnsatisfiable"])),
    rule(&["schedulingGates"], Merge::Keys(&["name"])),
    rule(&["resourceClaims"], Merge::Keys(&["name"])),
    rule(&["env"], Merge::Keys(&["name"])),
    rule(&["volumeMounts"], Merge::Keys(&["mountPath"])),
    rule(&["volumeDevices"], Merge::Keys(&["devicePath"])),
    rule(&["resizePolicy"], Merge::Atomic),
    rule(&["containers", "ports"], Merge::Keys(&["containerPort", "protocol"])),
    rule(&["initContainers", "ports"], Merge::Keys(&["containerPort", "protocol"])),
    rule(&["spec", "ports"], Merge::Keys(&["port", "protocol"])),
    rule(&["status", "conditions"], Merge::Keys(&["type"])),
    rule(&["status", "addresses"], Merge::Keys(&["type"])),
    rule(&["status", "podIPs"], Merge::Keys(&["ip"])),
    rule(&["status", "hostIPs"], Merge::Atomic),
    rule(&["secrets"], Merge::Keys(&["name"])),
    rule(&["spec", "podCIDRs"], Merge::Set),
    rule(&["status", "loadBalancer", "ingress"], Merge::Atomic),
];

/// Objects that are replaced as a whole by server-side apply.
const ATOMIC_OBJECTS: &[&[&str]] = &[
    &["spec", "nodeSelector"],
    &["labelSelector"],
    &["fieldRef"],
    &["resourceFieldRef"],
    &["configMapKeyRef"],
    &["secretKeyRef"],
    &["involvedObject"],
    &["targetRef"],
    &["nodeSelectorTerms"],
    &["requiredDuringSchedulingIgnoredDuringExecution"],
];

/// How the list at a path of field names is merged.
pub(crate) fn of_list(path: &[&str]) -> Merge {
    let fitting = LISTS.iter().filter(|rule| path.ends_with(rule.path));
    fitting.max_by_key(|rule| rule.path.len()).map_or(Merge::Atomic, |rule| rule.merge)
}

/// How the object at a path of field names is merged by server-side apply.
pub(crate) fn of_object(path: &[&str]) -> Merge {
    // The selector of services and of replicated kinds changes as one.
    let selector = path == ["spec", "selector"];
    if selector || ATOMIC_OBJECTS.iter().any(|end| path.ends_with(end)) {
        Merge::Atomic
    } else {
        Merge::Fields
    }
}

/// What a key field counts as having where an item leaves it out.
pub(crate) fn default_of_key(field: &str) -> Option<&'static str> {
    (field == "protocol").then_some("TCP")
}
