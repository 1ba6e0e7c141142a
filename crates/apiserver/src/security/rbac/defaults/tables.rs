//! What the roles allow. They name kinds that this server does not have, too: a role of a user that does so must be
//! within the rights of an administrator as on every other cluster.

use serde_json::{Value, json};

use self::Given::{Paths, Resources};

/// A role of the cluster.
pub(super) struct Role {
    pub(super) name: &'static str,
    /// The role that gathers this one, if one does.
    pub(super) gathered_by: &'static str,
    /// Whether it gathers others.
    pub(super) gathers: bool,
    pub(super) rules: &'static [Given],
}

/// A rule.
pub(super) enum Given {
    Resources(&'static [&'static str], &'static str, &'static [&'static str]),
    Paths(&'static [&'static str], &'static [&'static str]),
}

impl Given {
    /// With everything in the order of the alphabet, as the real server keeps its own.
    pub(super) fn rule(&self) -> Value {
        match self {
            Self::Resources(verbs, group, resources) => json!({
                "apiGroups": [group], "resources": sorted(resources), "verbs": sorted(verbs),
            }),
            Self::Paths(verbs, paths) => {
                json!({"nonResourceURLs": sorted(paths), "verbs": sorted(verbs)})
            }
        }
    }
}

fn sorted<'a>(texts: &[&'a str]) -> Vec<&'a str> {
    let mut texts = texts.to_vec();
    texts.sort_unstable();
    texts
}

const GET: &[&str] = &["get"];
const CREATE: &[&str] = &["create"];
const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
const READ_WRITE: &[&str] =
    &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
const ALL: &[&str] = &["*"];

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const RBAC: &str = crate::resources::RBAC_GROUP;

const fn plain(name: &'static str, rules: &'static [Given]) -> Role {
    Role { name, gathered_by: "", gathers: false, rules }
}

const fn gathering(name: &'static str, gathered_by: &'static str) -> Role {
    Role { name, gathered_by, gathers: true, rules: &[] }
}

const fn part_of(gathered_by: &'static str, name: &'static str, rules: &'static [Given]) -> Role {
    Role { name, gathered_by, gathers: false, rules }
}

pub(super) const ROLES: &[Role] = &[
    plain("cluster-admin", &[Resources(ALL, "*", ALL), Paths(ALL, ALL)]),
    plain("system:discovery", &[Paths(GET, DISCOVERY)]),
    plain("system:monitoring", &[Paths(GET, MONITORING), Resources(GET, "", &["nodes/metrics"])]),
    plain(
        "system:basic-user",
        &[
            Resources(
                CREATE,
                AUTHORIZATION,
                &["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            ),
            Resources(CREATE, AUTHENTICATION, &["selfsubjectreviews"]),
        ],
    ),
    plain("system:public-info-viewer", &[Paths(GET, PUBLIC)]),
    plain("system:service-account-issuer-discovery", &[Paths(GET, ISSUER)]),
    plain(
        "system:auth-delegator",
        &[
            Resources(CREATE, AUTHENTICATION, &["tokenreviews"]),
            Resources(CREATE, AUTHORIZATION, &["subjectaccessreviews"]),
        ],
    ),
    gathering("admin", ""),
    gathering("edit", "admin"),
    gathering("view", "edit"),
    part_of("admin", "system:aggregate-to-admin", ADMIN),
    part_of("edit", "system:aggregate-to-edit", EDIT),
    part_of("view", "system:aggregate-to-view", VIEW),
];

/// Whom each role is given to.
pub(super) const BINDINGS: &[(&str, &[&str])] = &[
    ("cluster-admin", &["system:masters"]),
    ("system:monitoring", &["system:monitoring"]),
    ("system:discovery", &["system:authenticated"]),
    ("system:basic-user", &["system:authenticated"]),
    ("system:public-info-viewer", &["system:authenticated", "system:unauthenticated"]),
    ("system:service-account-issuer-discovery", &["system:serviceaccounts"]),
];

const PUBLIC: &[&str] = &["/livez", "/readyz", "/healthz", "/version", "/version/"];
const ISSUER: &[&str] = &[
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/",
    "/openid/v1/jwks",
    "/openid/v1/jwks/",
];
const DISCOVERY: &[&str] = &[
    "/livez",
    "/readyz",
    "/healthz",
    "/version",
    "/version/",
    "/openapi",
    "/openapi/*",
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
];
const MONITORING: &[&str] = &[
    "/metrics",
    "/metrics/slis",
    "/livez",
    "/readyz",
    "/healthz",
    "/livez/*",
    "/readyz/*",
    "/healthz/*",
];

const ADMIN: &[Given] = &[
    Resources(CREATE, AUTHORIZATION, &["localsubjectaccessreviews"]),
    Resources(READ_WRITE, RBAC, &["roles", "rolebindings"]),
];

const EDIT: &[Given] = &[
    Resources(
        READ,
        "",
        &[
            "pods/attach",
            "pods/proxy",
            "pods/exec",
            "pods/portforward",
            "secrets",
            "services/proxy",
        ],
    ),
    Resources(&["impersonate"], "", &["serviceaccounts"]),
    Resources(WRITE, "", &["pods", "pods/attach", "pods/proxy", "pods/exec", "pods/portforward"]),
    Resources(CREATE, "", &["pods/eviction"]),
    Resources(
        WRITE,
        "",
        &[
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "serviceaccounts",
            "services",
            "services/proxy",
            "persistentvolumeclaims",
            "configmaps",
            "secrets",
            "events",
        ],
    ),
    Resources(CREATE, "", &["serviceaccounts/token"]),
    Resources(
        WRITE,
        "apps",
        &[
            "statefulsets",
            "statefulsets/scale",
            "daemonsets",
            "deployments",
            "deployments/scale",
            "deployments/rollback",
            "replicasets",
            "replicasets/scale",
        ],
    ),
    Resources(WRITE, "autoscaling", &["horizontalpodautoscalers"]),
    Resources(WRITE, "batch", &["jobs", "cronjobs"]),
    Resources(
        WRITE,
        "extensions",
        &[
            "daemonsets",
            "deployments",
            "deployments/scale",
            "deployments/rollback",
            "ingresses",
            "replicasets",
            "replicasets/scale",
            "replicationcontrollers/scale",
            "networkpolicies",
        ],
    ),
    Resources(WRITE, "policy", &["poddisruptionbudgets"]),
    Resources(WRITE, "networking.k8s.io", &["networkpolicies", "ingresses"]),
    Resources(READ_WRITE, "coordination.k8s.io", &["leases"]),
    Resources(WRITE, "resource.k8s.io", &["resourceclaims", "resourceclaimtemplates"]),
];

const VIEW: &[Given] = &[
    Resources(
        READ,
        "",
        &[
            "pods",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "serviceaccounts",
            "services",
            "services/status",
            "endpoints",
            "persistentvolumeclaims",
            "persistentvolumeclaims/status",
            "configmaps",
        ],
    ),
    Resources(
        READ,
        "",
        &[
            "limitranges",
            "resourcequotas",
            "bindings",
            "events",
            "pods/status",
            "resourcequotas/status",
            "namespaces/status",
            "replicationcontrollers/status",
            "pods/log",
        ],
    ),
    Resources(READ, "", &["namespaces"]),
    Resources(READ, "discovery.k8s.io", &["endpointslices"]),
    Resources(
        READ,
        "apps",
        &[
            "controllerrevisions",
            "statefulsets",
            "statefulsets/status",
            "statefulsets/scale",
            "daemonsets",
            "daemonsets/status",
            "deployments",
            "deployments/status",
            "deployments/scale",
            "replicasets",
            "replicasets/status",
            "replicasets/scale",
        ],
    ),
    Resources(
        READ,
        "autoscaling",
        &["horizontalpodautoscalers", "horizontalpodautoscalers/status"],
    ),
    Resources(READ, "batch", &["jobs", "cronjobs", "cronjobs/status", "jobs/status"]),
    Resources(
        READ,
        "extensions",
        &[
            "daemonsets",
            "daemonsets/status",
            "deployments",
            "deployments/scale",
            "deployments/status",
            "ingresses",
            "ingresses/status",
            "replicasets",
            "replicasets/scale",
            "replicasets/status",
            "replicationcontrollers/scale",
            "networkpolicies",
        ],
    ),
    Resources(READ, "policy", &["poddisruptionbudgets", "poddisruptionbudgets/status"]),
    Resources(READ, "networking.k8s.io", &["networkpolicies", "ingresses", "ingresses/status"]),
    Resources(
        READ,
        "resource.k8s.io",
        &["resourceclaims", "resourceclaims/status", "resourceclaimtemplates"],
    ),
];
