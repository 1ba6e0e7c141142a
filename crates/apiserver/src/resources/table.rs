//! The rows of the table of kinds.

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    coordination::v1::Lease,
    core::v1::{
        ConfigMap, Endpoints, Event, Namespace, Node, Pod, Secret, Service, ServiceAccount,
    },
};

use super::{Habit, Resource, Selectable, columns, rules, typed};

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
        typed: typed::<Lease>,
        columns: columns::LEASE,
        habits: &[Habit::CreatedByUpdate],
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
        habits: &[Habit::ReturnedWhenDeleted],
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

fn events() -> Resource {
    Resource {
        short_names: &["ev"],
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
        habits: &[Habit::CreatedByUpdate],
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
            typed: typed::<ServiceAccount>,
            columns: columns::SERVICE_ACCOUNT,
            habits: &[Habit::ReturnedWhenDeleted],
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
            status: true,
            scale: true,
            typed: typed::<Deployment>,
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
            typed: typed::<ReplicaSet>,
            rules: &rules::ReplicaSets,
            selectable: selectable(&[("status.replicas", "/status/replicas", "")]),
            columns: columns::REPLICA_SET,
            habits: &[Habit::InAll, Habit::CountsGeneration],
            ..plain("ReplicaSet", "replicasets", "replicaset")
        },
    ]
}
