//! The messages that are read from protobuf, by the numbers of their fields in the `generated.proto` files of Kubernetes 1.33.

/// A message.
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// A field of a message.
pub(super) struct Field {
    pub(super) number: u8,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
    /// Whether it is a pointer in Go, so that its zero is meant.
    pub(super) pointer: bool,
}

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Bytes,
    Integer,
    Flag,
    Time,
    Quantity,
    IntegerOrText,
    Message(&'static Message),
    Map(&'static Kind),
}

const fn one(number: u8, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, repeated: false, pointer: false }
}

const fn many(number: u8, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, repeated: true, pointer: false }
}

const fn pointer(number: u8, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, repeated: false, pointer: true }
}

const fn text(number: u8, name: &'static str) -> Field {
    one(number, name, Kind::Text)
}

const TEXTS: Kind = Kind::Map(&Kind::Text);

macro_rules! message {
    ($constant:ident, $name:literal, [$($field:expr),* $(,)?]) => {
        pub(super) const $constant: Message = Message { name: $name, fields: &[$($field),*] };
    };
}

/// The kinds that are taken in protobuf.
pub(super) const ROOTS: [(&str, &Message); 11] = [
    ("Namespace", &NAMESPACE),
    ("ConfigMap", &CONFIG_MAP),
    ("Secret", &SECRET),
    ("ServiceAccount", &SERVICE_ACCOUNT),
    ("Service", &SERVICE),
    ("Deployment", &DEPLOYMENT),
    ("TokenRequest", &TOKEN_REQUEST),
    ("SelfSubjectAccessReview", &ACCESS_REVIEW),
    ("SelfSubjectRulesReview", &RULES_REVIEW),
    ("SelfSubjectReview", &SELF_REVIEW),
    ("DeleteOptions", &DELETE_OPTIONS),
];

message!(
    ENVELOPE,
    "Unknown",
    [
        one(1, "typeMeta", Kind::Message(&TYPE_META)),
        one(2, "raw", Kind::Bytes),
        text(3, "contentEncoding"),
        text(4, "contentType"),
    ]
);
message!(TYPE_META, "TypeMeta", [text(1, "apiVersion"), text(2, "kind")]);
message!(QUANTITY, "Quantity", [text(1, "string")]);
message!(
    INTEGER_OR_TEXT,
    "IntOrString",
    [one(1, "type", Kind::Integer), one(2, "integer", Kind::Integer), text(3, "text"),]
);
message!(TIME, "Time", [one(1, "seconds", Kind::Integer), one(2, "nanos", Kind::Integer)]);

message!(
    OBJECT_META,
    "ObjectMeta",
    [
        text(1, "name"),
        text(2, "generateName"),
        text(3, "namespace"),
        text(4, "selfLink"),
        text(5, "uid"),
        text(6, "resourceVersion"),
        one(7, "generation", Kind::Integer),
        one(8, "creationTimestamp", Kind::Time),
        one(9, "deletionTimestamp", Kind::Time),
        pointer(10, "deletionGracePeriodSeconds", Kind::Integer),
        one(11, "labels", TEXTS),
        one(12, "annotations", TEXTS),
        many(13, "ownerReferences", Kind::Message(&OWNER_REFERENCE)),
        many(14, "finalizers", Kind::Text),
    ]
);
message!(
    OWNER_REFERENCE,
    "OwnerReference",
    [
        text(1, "kind"),
        text(3, "name"),
        text(4, "uid"),
        text(5, "apiVersion"),
        pointer(6, "controller", Kind::Flag),
        pointer(7, "blockOwnerDeletion", Kind::Flag),
    ]
);
const METADATA: Field = one(1, "metadata", Kind::Message(&OBJECT_META));

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

message!(
    TOKEN_REQUEST,
    "TokenRequest",
    [
        METADATA,
        one(2, "spec", Kind::Message(&TOKEN_SPEC)),
        one(3, "status", Kind::Message(&TOKEN_STATUS)),
    ]
);
message!(
    TOKEN_SPEC,
    "TokenRequestSpec",
    [
        many(1, "audiences", Kind::Text),
        pointer(3, "boundObjectRef", Kind::Message(&BOUND_REFERENCE)),
        pointer(4, "expirationSeconds", Kind::Integer),
    ]
);
message!(
    BOUND_REFERENCE,
    "BoundObjectReference",
    [text(1, "kind"), text(2, "apiVersion"), text(3, "name"), text(4, "uid"),]
);
message!(
    TOKEN_STATUS,
    "TokenRequestStatus",
    [text(1, "token"), one(2, "expirationTimestamp", Kind::Time)]
);

message!(
    ACCESS_REVIEW,
    "SelfSubjectAccessReview",
    [
        METADATA,
        one(2, "spec", Kind::Message(&ACCESS_SPEC)),
        one(3, "status", Kind::Message(&ACCESS_STATUS)),
    ]
);
message!(
    ACCESS_SPEC,
    "SelfSubjectAccessReviewSpec",
    [
        pointer(1, "resourceAttributes", Kind::Message(&RESOURCE_ATTRIBUTES)),
        pointer(2, "nonResourceAttributes", Kind::Message(&PATH_ATTRIBUTES)),
    ]
);
message!(
    RESOURCE_ATTRIBUTES,
    "ResourceAttributes",
    [
        text(1, "namespace"),
        text(2, "verb"),
        text(3, "group"),
        text(4, "version"),
        text(5, "resource"),
        text(6, "subresource"),
        text(7, "name"),
    ]
);
message!(PATH_ATTRIBUTES, "NonResourceAttributes", [text(1, "path"), text(2, "verb")]);
message!(
    ACCESS_STATUS,
    "SubjectAccessReviewStatus",
    [
        one(1, "allowed", Kind::Flag),
        text(2, "reason"),
        text(3, "evaluationError"),
        one(4, "denied", Kind::Flag),
    ]
);
message!(
    RULES_REVIEW,
    "SelfSubjectRulesReview",
    [
        METADATA,
        one(2, "spec", Kind::Message(&RULES_SPEC)),
        one(3, "status", Kind::Message(&RULES_STATUS)),
    ]
);
message!(RULES_SPEC, "SelfSubjectRulesReviewSpec", [text(1, "namespace")]);
message!(
    RULES_STATUS,
    "SubjectRulesReviewStatus",
    [one(3, "incomplete", Kind::Flag), text(4, "evaluationError")]
);
message!(
    SELF_REVIEW,
    "SelfSubjectReview",
    [METADATA, one(2, "status", Kind::Message(&SELF_STATUS))]
);
message!(SELF_STATUS, "SelfSubjectReviewStatus", [one(1, "userInfo", Kind::Message(&USER_FACTS))]);
message!(USER_FACTS, "UserInfo", [text(1, "username"), text(2, "uid")]);

message!(
    DELETE_OPTIONS,
    "DeleteOptions",
    [
        pointer(1, "gracePeriodSeconds", Kind::Integer),
        pointer(2, "preconditions", Kind::Message(&PRECONDITIONS)),
        pointer(3, "orphanDependents", Kind::Flag),
        pointer(4, "propagationPolicy", Kind::Text),
        many(5, "dryRun", Kind::Text),
    ]
);
message!(
    PRECONDITIONS,
    "Preconditions",
    [pointer(1, "uid", Kind::Text), pointer(2, "resourceVersion", Kind::Text)]
);
