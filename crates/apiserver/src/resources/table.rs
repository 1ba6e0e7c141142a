//! The rows of the table of kinds.

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    coordination::v1::Lease,
    core::v1::{
        ConfigMap, Endpoints, Event, Namespace, Node, Pod, Secret, Service, ServiceAccount,
    },
};

use super::{Resource, Selectable, columns, rules, typed};

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
        in_all: false,
        namespaced: true,
        status: false,
        scale: false,
        generation: false,
        create_on_update: false,
        returns_deleted: false,
        storage: plural,
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
    resources.push(Resource {
        group: "coordination.k8s.io",
        storage: "leases.coordination.k8s.io",
        create_on_update: true,
        typed: typed::<Lease>,
        columns: columns::LEASE,
        ..plain("Lease", "leases", "lease")
    });
    resources
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
        returns_deleted: true,
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
        in_all: true,
        status: true,
        generation: true,
        returns_deleted: true,
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
        ..plain("Pod", "pods", "pod")
    }
}

fn services() -> Resource {
    Resource {
        short_names: &["svc"],
        in_all: true,
        status: true,
        create_on_update: true,
        returns_deleted: true,
        typed: typed::<Service>,
        rules: &rules::Services,
        selectable: selectable(&[
            ("spec.clusterIP", "/spec/clusterIP", ""),
            ("spec.type", "/spec/type", ""),
        ]),
        columns: columns::SERVICE,
        ..plain("Service", "services", "service")
    }
}

fn endpoints() -> Resource {
    Resource {
        short_names: &["ep"],
        create_on_update: true,
        typed: typed::<Endpoints>,
        rules: &rules::EndpointsRules,
        columns: columns::ENDPOINTS,
        ..plain("Endpoints", "endpoints", "endpoints")
    }
}

fn events() -> Resource {
    Resource {
        short_names: &["ev"],
        create_on_update: true,
        typed: typed::<Event>,
        rules: &rules::Events,
        selectable: selectable(&[
            ("involvedObject.kind", "/involvedObject/kind", ""),
            ("involvedObject.namespace", "/involvedObject/namespace", ""),
            ("involvedObject.name", "/involvedObject/name", ""),
            ("involvedObject.uid", "/involvedObject/uid", ""),
            ("involvedObject.apiVersion", "/involvedObject/apiVersion", ""),
            ("involvedObject.resourceVersion", "/involvedObject/resourceVersion", ""),
            ("involvedObject.fieldPath", "/involvedObject/fieldPath", ""),
            ("reason", "/reason", ""),
            ("reportingComponent", "/reportingComponent", ""),
            ("source", "/source/component", ""),
            ("type", "/type", ""),
        ]),
        columns: columns::EVENT,
        ..plain("Event", "events", "event")
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
            returns_deleted: true,
            typed: typed::<ServiceAccount>,
            columns: columns::SERVICE_ACCOUNT,
            ..plain("ServiceAccount", "serviceaccounts", "serviceaccount")
        },
    ]
}

fn apps() -> [Resource; 2] {
    [
        Resource {
            group: "apps",
            storage: "deployments.apps",
            short_names: &["deploy"],
            in_all: true,
            status: true,
            scale: true,
            generation: true,
            typed: typed::<Deployment>,
            rules: &rules::Deployments,
            columns: columns::DEPLOYMENT,
            ..plain("Deployment", "deployments", "deployment")
        },
        Resource {
            group: "apps",
            storage: "replicasets.apps",
            short_names: &["rs"],
            in_all: true,
            status: true,
            scale: true,
            generation: true,
            typed: typed::<ReplicaSet>,
            rules: &rules::ReplicaSets,
            selectable: selectable(&[("status.replicas", "/status/replicas", "")]),
            columns: columns::REPLICA_SET,
            ..plain("ReplicaSet", "replicasets", "replicaset")
        },
    ]
}
