//! The kinds that are stored.

use super::{Kind, METADATA, Message, TEXTS, many, one, pointer, text};

message!(
    NAMESPACE,
    "Namespace",
    [
        METADATA,
        one(2, "spec", Kind::Message(&NAMESPACE_SPEC)),
        one(3, "status", Kind::Message(&NAMESPACE_STATUS)),
    ]
);
message!(NAMESPACE_SPEC, "NamespaceSpec", [many(1, "finalizers", Kind::Text)]);
message!(NAMESPACE_STATUS, "NamespaceStatus", [text(1, "phase")]);

message!(
    CONFIG_MAP,
    "ConfigMap",
    [
        METADATA,
        one(2, "data", TEXTS),
        one(3, "binaryData", Kind::Map(&Kind::Bytes)),
        pointer(4, "immutable", Kind::Flag),
    ]
);
message!(
    SECRET,
    "Secret",
    [
        METADATA,
        one(2, "data", Kind::Map(&Kind::Bytes)),
        text(3, "type"),
        one(4, "stringData", TEXTS),
        pointer(5, "immutable", Kind::Flag),
    ]
);
message!(
    SERVICE_ACCOUNT,
    "ServiceAccount",
    [
        METADATA,
        many(2, "secrets", Kind::Message(&OBJECT_REFERENCE)),
        many(3, "imagePullSecrets", Kind::Message(&LOCAL_REFERENCE)),
        pointer(4, "automountServiceAccountToken", Kind::Flag),
    ]
);
message!(LOCAL_REFERENCE, "LocalObjectReference", [text(1, "name")]);
message!(
    OBJECT_REFERENCE,
    "ObjectReference",
    [
        text(1, "kind"),
        text(2, "namespace"),
        text(3, "name"),
        text(4, "uid"),
        text(5, "apiVersion"),
        text(6, "resourceVersion"),
        text(7, "fieldPath"),
    ]
);

message!(
    SERVICE,
    "Service",
    [
        METADATA,
        one(2, "spec", Kind::Message(&SERVICE_SPEC)),
        one(3, "status", Kind::Message(&SERVICE_STATUS)),
    ]
);
message!(
    SERVICE_SPEC,
    "ServiceSpec",
    [
        many(1, "ports", Kind::Message(&SERVICE_PORT)),
        one(2, "selector", TEXTS),
        text(3, "clusterIP"),
        text(4, "type"),
        many(5, "externalIPs", Kind::Text),
        text(7, "sessionAffinity"),
        text(8, "loadBalancerIP"),
        many(9, "loadBalancerSourceRanges", Kind::Text),
        text(10, "externalName"),
        text(11, "externalTrafficPolicy"),
        one(12, "healthCheckNodePort", Kind::Integer),
        one(13, "publishNotReadyAddresses", Kind::Flag),
        pointer(17, "ipFamilyPolicy", Kind::Text),
        many(18, "clusterIPs", Kind::Text),
        many(19, "ipFamilies", Kind::Text),
        pointer(20, "allocateLoadBalancerNodePorts", Kind::Flag),
        pointer(21, "loadBalancerClass", Kind::Text),
        pointer(22, "internalTrafficPolicy", Kind::Text),
        pointer(23, "trafficDistribution", Kind::Text),
    ]
);
message!(
    SERVICE_PORT,
    "ServicePort",
    [
        text(1, "name"),
        text(2, "protocol"),
        one(3, "port", Kind::Integer),
        one(4, "targetPort", Kind::IntegerOrText),
        one(5, "nodePort", Kind::Integer),
        pointer(6, "appProtocol", Kind::Text),
    ]
);
message!(SERVICE_STATUS, "ServiceStatus", [one(1, "loadBalancer", Kind::Message(&LOAD_BALANCER))]);
message!(LOAD_BALANCER, "LoadBalancerStatus", []);

message!(
    DEPLOYMENT,
    "Deployment",
    [
        METADATA,
        one(2, "spec", Kind::Message(&DEPLOYMENT_SPEC)),
        one(3, "status", Kind::Message(&DEPLOYMENT_STATUS)),
    ]
);
message!(
    DEPLOYMENT_SPEC,
    "DeploymentSpec",
    [
        pointer(1, "replicas", Kind::Integer),
        pointer(2, "selector", Kind::Message(&LABEL_SELECTOR)),
        one(3, "template", Kind::Message(&POD_TEMPLATE)),
        one(4, "strategy", Kind::Message(&DEPLOYMENT_STRATEGY)),
        one(5, "minReadySeconds", Kind::Integer),
        pointer(6, "revisionHistoryLimit", Kind::Integer),
        one(7, "paused", Kind::Flag),
        pointer(9, "progressDeadlineSeconds", Kind::Integer),
    ]
);
message!(DEPLOYMENT_STRATEGY, "DeploymentStrategy", [text(1, "type")]);
message!(
    DEPLOYMENT_STATUS,
    "DeploymentStatus",
    [
        one(1, "observedGeneration", Kind::Integer),
        one(2, "replicas", Kind::Integer),
        one(3, "updatedReplicas", Kind::Integer),
        one(4, "availableReplicas", Kind::Integer),
        one(5, "unavailableReplicas", Kind::Integer),
        one(7, "readyReplicas", Kind::Integer),
        pointer(8, "collisionCount", Kind::Integer),
    ]
);
message!(LABEL_SELECTOR, "LabelSelector", [one(1, "matchLabels", TEXTS)]);
message!(POD_TEMPLATE, "PodTemplateSpec", [METADATA, one(2, "spec", Kind::Message(&POD_SPEC))]);
message!(
    POD_SPEC,
    "PodSpec",
    [
        many(2, "containers", Kind::Message(&CONTAINER)),
        text(3, "restartPolicy"),
        pointer(4, "terminationGracePeriodSeconds", Kind::Integer),
        pointer(5, "activeDeadlineSeconds", Kind::Integer),
        text(6, "dnsPolicy"),
        one(7, "nodeSelector", TEXTS),
        text(8, "serviceAccountName"),
        text(9, "serviceAccount"),
        text(10, "nodeName"),
        one(11, "hostNetwork", Kind::Flag),
        one(12, "hostPID", Kind::Flag),
        one(13, "hostIPC", Kind::Flag),
        many(15, "imagePullSecrets", Kind::Message(&LOCAL_REFERENCE)),
        text(16, "hostname"),
        text(17, "subdomain"),
        text(19, "schedulerName"),
        text(24, "priorityClassName"),
    ]
);
message!(
    CONTAINER,
    "Container",
    [
        text(1, "name"),
        text(2, "image"),
        many(3, "command", Kind::Text),
        many(4, "args", Kind::Text),
        text(5, "workingDir"),
        many(6, "ports", Kind::Message(&CONTAINER_PORT)),
        many(7, "env", Kind::Message(&ENVIRONMENT)),
        one(8, "resources", Kind::Message(&RESOURCES)),
        text(13, "terminationMessagePath"),
        text(14, "imagePullPolicy"),
        one(16, "stdin", Kind::Flag),
        one(17, "stdinOnce", Kind::Flag),
        one(18, "tty", Kind::Flag),
        text(20, "terminationMessagePolicy"),
    ]
);
message!(
    CONTAINER_PORT,
    "ContainerPort",
    [
        text(1, "name"),
        one(2, "hostPort", Kind::Integer),
        one(3, "containerPort", Kind::Integer),
        text(4, "protocol"),
        text(5, "hostIP"),
    ]
);
message!(ENVIRONMENT, "EnvVar", [text(1, "name"), text(2, "value")]);
message!(
    RESOURCES,
    "ResourceRequirements",
    [one(1, "limits", Kind::Map(&Kind::Quantity)), one(2, "requests", Kind::Map(&Kind::Quantity)),]
);
