//! The rows of the table of kinds.

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    coordination::v1::Lease,
    core::v1::{
        ConfigMap, Endpoints, Event, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod,
        ResourceQuota, Secret, Service, ServiceAccount,
    },
    discovery::v1::EndpointSlice,
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    storage::v1::StorageClass,
};

use serde_json::Value;

use super::{
    Alias, Habit, RBAC_GROUP, Resource, Selectable, columns, rules, typed, typed_with_selector,
};

const METADATA: [Selectable; 2] = [
    Selectable { name: "metadata.name", pointer: "/metadata/name", absent: "" },
    Selectable { name: "metadata.namespace", pointer: "/metadata/namespace", absent: "" },
];

fn selectable(fields: &[(&'static str, &'static str, &'static str)]) -> Vec<Selectable> {
    let own = fields.iter().map(|(name, pointer, absent)| Selectable { name, pointer, absent });
    METADATA.into_iter().chain(own).collect()
}

/// A namespaced kind of the core group without anything special.
fn plain(kind: &'static str, plural: &'static str, singular: &'static str) -> Resource {
    Resource {
        id: 0,
        group: "",
        version: "v1",
        kind,
        plural,
        singular,
        short_names: &[],
        namespaced: true,
        status: false,
        scale: false,
        habits: &[],
        storage: plural,
        alias: None,
        prefix: String::new(),
        selectable: selectable(&[]),
        typed: Ok,
        rules: &rules::Plain,
        columns: columns::NAMESPACE,
    }
}

pub(super) fn resources() -> Vec<Resource> {
    let mut resources = vec![namespaces(), nodes(), pods(), services(), endpoints(), events()];
    resources.extend(configuration());
    resources.extend(apps());
    resources.push(leases());
    resources.extend(storage());
    resources.extend(roles());
    resources.extend([quotas(), slices()]);
    resources.push(new_events());
    resources
}

fn quotas() -> Resource {
    Resource {
        short_names: &["quota"],
        status: true,
        typed: typed::<ResourceQuota>,
        rules: &rules::Quotas,
        columns: columns::QUOTA,
        habits: &[Habit::ReturnedWhenDeleted],
        ..plain("ResourceQuota", "resourcequotas", "resourcequota")
    }
}

fn slices() -> Resource {
    Resource {
        group: "discovery.k8s.io",
        storage: "endpointslices.discovery.k8s.io",
        typed: slice,
        rules: &rules::Slices,
        columns: columns::ENDPOINT_SLICE,
        habits: &[Habit::CountsGeneration],
        ..plain("EndpointSlice", "endpointslices", "endpointslice")
    }
}

/// The type has a list that a client may leave out.
fn slice(mut value: Value) -> Result<Value, serde_json::Error> {
    if let Some(object) = value.as_object_mut() {
        let endpoints = object.entry("endpoints").or_insert(Value::Null);
        if endpoints.is_null() {
            *endpoints = Value::Array(Vec::new());
        }
    }
    typed::<EndpointSlice>(value)
}

fn leases() -> Resource {
    Resource {
        group: "coordination.k8s.io",
        storage: "leases.coordination.k8s.io",
        typed: typed::<Lease>,
        rules: &rules::Leases,
        columns: columns::LEASE,
        habits: &[Habit::CreatedByUpdate, Habit::ChangedByVersion],
        ..plain("Lease", "leases", "lease")
    }
}

fn namespaces() -> Resource {
    Resource {
        short_names: &["ns"],
        namespaced: false,
        status: true,
        typed: typed::<Namespace>,
        rules: &rules::Namespaces,
        selectable: selectable(&[("status.phase", "/status/phase", "")]),
        columns: columns::NAMESPACE,
        habits: &[Habit::ReturnedWhenDeleted, Habit::DeletedOneByOne],
        ..plain("Namespace", "namespaces", "namespace")
    }
}

fn nodes() -> Resource {
    Resource {
        short_names: &["no"],
        namespaced: false,
        status: true,
        typed: typed::<Node>,
        rules: &rules::Nodes,
        selectable: selectable(&[("spec.unschedulable", "/spec/unschedulable", "false")]),
        columns: columns::NODE,
        ..plain("Node", "nodes", "node")
    }
}

fn pods() -> Resource {
    Resource {
        short_names: &["po"],
        status: true,
        typed: typed::<Pod>,
        rules: &rules::Pods,
        selectable: selectable(&[
            ("spec.nodeName", "/spec/nodeName", ""),
            ("spec.restartPolicy", "/spec/restartPolicy", ""),
            ("spec.schedulerName", "/spec/schedulerName", ""),
            ("spec.serviceAccountName", "/spec/serviceAccountName", ""),
            ("spec.hostNetwork", "/spec/hostNetwork", "false"),
            ("status.phase", "/status/phase", ""),
            ("status.podIP", "/status/podIP", ""),
            ("status.nominatedNodeName", "/status/nominatedNodeName", ""),
        ]),
        columns: columns::POD,
        habits: &[Habit::InAll, Habit::CountsGeneration, Habit::ReturnedWhenDeleted],
        ..plain("Pod", "pods", "pod")
    }
}

fn services() -> Resource {
    Resource {
        short_names: &["svc"],
        status: true,
        typed: typed::<Service>,
        rules: &rules::Services,
        selectable: selectable(&[
            ("spec.clusterIP", "/spec/clusterIP", ""),
            ("spec.type", "/spec/type", ""),
        ]),
        columns: columns::SERVICE,
        habits: &[Habit::InAll, Habit::CreatedByUpdate, Habit::ReturnedWhenDeleted],
        ..plain("Service", "services", "service")
    }
}

fn endpoints() -> Resource {
    Resource {
        short_names: &["ep"],
        typed: typed::<Endpoints>,
        rules: &rules::EndpointsRules,
        columns: columns::ENDPOINTS,
        habits: &[Habit::CreatedByUpdate],
        ..plain("Endpoints", "endpoints", "endpoints")
    }
}

/// What selectors can ask of events: the name in the core group, the name in the group of their own, the place.
const EVENT_FIELDS: [(&str, &str, &str); 11] = [
    ("involvedObject.kind", "regarding.kind", "/involvedObject/kind"),
    ("involvedObject.namespace", "regarding.namespace", "/involvedObject/namespace"),
    ("involvedObject.name", "regarding.name", "/involvedObject/name"),
    ("involvedObject.uid", "regarding.uid", "/involvedObject/uid"),
    ("involvedObject.apiVersion", "regarding.apiVersion", "/involvedObject/apiVersion"),
    (
        "involvedObject.resourceVersion",
        "regarding.resourceVersion",
        "/involvedObject/resourceVersion",
    ),
    ("involvedObject.fieldPath", "regarding.fieldPath", "/involvedObject/fieldPath"),
    ("reportingComponent", "reportingController", "/reportingComponent"),
    ("source", "deprecatedSource", "/source/component"),
    ("reason", "reason", "/reason"),
    ("type", "type", "/type"),
];

fn events() -> Resource {
    Resource {
        short_names: &["ev"],
        habits: &[Habit::CreatedByUpdate],
        typed: typed::<Event>,
        rules: &rules::Events,
        selectable: selectable(&EVENT_FIELDS.map(|(name, _, pointer)| (name, pointer, ""))),
        columns: columns::EVENT,
        ..plain("Event", "events", "event")
    }
}

/// The same events in the group of their own.
fn new_events() -> Resource {
    Resource {
        group: "events.k8s.io",
        typed: typed::<k8s_openapi::api::events::v1::Event>,
        rules: &rules::NewEvents,
        // The stored object is indexed once, so the fields stand in the same order.
        selectable: selectable(&EVENT_FIELDS.map(|(_, name, pointer)| (name, pointer, ""))),
        alias: Some(Alias {
            renamed: &[
                ("involvedObject", "regarding"),
                ("message", "note"),
                ("reportingComponent", "reportingController"),
                ("source", "deprecatedSource"),
                ("firstTimestamp", "deprecatedFirstTimestamp"),
                ("lastTimestamp", "deprecatedLastTimestamp"),
                ("count", "deprecatedCount"),
            ],
            stored: &rules::Events,
        }),
        ..events()
    }
}

fn configuration() -> [Resource; 3] {
    [
        Resource {
            short_names: &["cm"],
            typed: typed::<ConfigMap>,
            rules: &rules::ConfigMaps,
            columns: columns::CONFIG_MAP,
            ..plain("ConfigMap", "configmaps", "configmap")
        },
        Resource {
            typed: typed::<Secret>,
            rules: &rules::Secrets,
            selectable: selectable(&[("type", "/type", "")]),
            columns: columns::SECRET,
            ..plain("Secret", "secrets", "secret")
        },
        Resource {
            short_names: &["sa"],
            typed: typed::<ServiceAccount>,
            columns: columns::SERVICE_ACCOUNT,
            habits: &[Habit::ReturnedWhenDeleted],
            ..plain("ServiceAccount", "serviceaccounts", "serviceaccount")
        },
    ]
}

fn storage() -> [Resource; 3] {
    [
        Resource {
            short_names: &["pvc"],
            status: true,
            typed: typed::<PersistentVolumeClaim>,
            rules: &rules::Claims,
            columns: columns::CLAIM,
            habits: &[Habit::ReturnedWhenDeleted],
            ..plain("PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim")
        },
        Resource {
            short_names: &["pv"],
            namespaced: false,
            status: true,
            typed: typed::<PersistentVolume>,
            rules: &rules::Volumes,
            columns: columns::VOLUME,
            habits: &[Habit::ReturnedWhenDeleted],
            ..plain("PersistentVolume", "persistentvolumes", "persistentvolume")
        },
        Resource {
            group: "storage.k8s.io",
            storage: "storageclasses.storage.k8s.io",
            short_names: &["sc"],
            namespaced: false,
            typed: typed::<StorageClass>,
            rules: &rules::StorageClasses,
            columns: columns::STORAGE_CLASS,
            habits: &[Habit::ReturnedWhenDeleted],
            ..plain("StorageClass", "storageclasses", "storageclass")
        },
    ]
}

fn apps() -> [Resource; 2] {
    [
        Resource {
            group: "apps",
            storage: "deployments.apps",
            short_names: &["deploy"],
            status: true,
            scale: true,
            typed: typed_with_selector::<Deployment>,
            rules: &rules::Deployments,
            columns: columns::DEPLOYMENT,
            habits: &[Habit::InAll, Habit::CountsGeneration],
            ..plain("Deployment", "deployments", "deployment")
        },
        Resource {
            group: "apps",
            storage: "replicasets.apps",
            short_names: &["rs"],
            status: true,
            scale: true,
            typed: typed_with_selector::<ReplicaSet>,
            rules: &rules::ReplicaSets,
            columns: columns::REPLICA_SET,
            habits: &[Habit::InAll, Habit::CountsGeneration],
            ..plain("ReplicaSet", "replicasets", "replicaset")
        },
    ]
}

fn roles() -> [Resource; 4] {
    let role = |kind, plural, singular| Resource {
        group: RBAC_GROUP,
        columns: columns::ROLE,
        habits: &[Habit::CreatedByUpdate],
        ..plain(kind, plural, singular)
    };
    let binding = |kind, plural, singular| Resource {
        columns: columns::BINDING,
        ..role(kind, plural, singular)
    };
    [
        Resource {
            storage: "clusterrolebindings.rbac.authorization.k8s.io",
            namespaced: false,
            typed: typed::<ClusterRoleBinding>,
            rules: &rules::Bindings { namespaced: false },
            ..binding("ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding")
        },
        Resource {
            storage: "clusterroles.rbac.authorization.k8s.io",
            namespaced: false,
            typed: typed::<ClusterRole>,
            rules: &rules::Roles { namespaced: false },
            ..role("ClusterRole", "clusterroles", "clusterrole")
        },
        Resource {
            storage: "rolebindings.rbac.authorization.k8s.io",
            typed: typed::<RoleBinding>,
            rules: &rules::Bindings { namespaced: true },
            ..binding("RoleBinding", "rolebindings", "rolebinding")
        },
        Resource {
            storage: "roles.rbac.authorization.k8s.io",
            typed: typed::<Role>,
            rules: &rules::Roles { namespaced: true },
            ..role("Role", "roles", "role")
        },
    ]
}
