//! Roles and their bindings.

use super::{Kind, METADATA, Message, many, objects::LABEL_SELECTOR, one, pointer, text};

message!(ROLE, "Role", [METADATA, many(2, "rules", Kind::Message(&RULE))]);
message!(
    CLUSTER_ROLE,
    "ClusterRole",
    [
        METADATA,
        many(2, "rules", Kind::Message(&RULE)),
        pointer(3, "aggregationRule", Kind::Message(&AGGREGATION)),
    ]
);
message!(
    RULE,
    "PolicyRule",
    [
        many(1, "verbs", Kind::Text),
        many(2, "apiGroups", Kind::Text),
        many(3, "resources", Kind::Text),
        many(4, "resourceNames", Kind::Text),
        many(5, "nonResourceURLs", Kind::Text),
    ]
);
message!(
    AGGREGATION,
    "AggregationRule",
    [many(1, "clusterRoleSelectors", Kind::Message(&LABEL_SELECTOR))]
);
message!(
    BINDING,
    "RoleBinding",
    [
        METADATA,
        many(2, "subjects", Kind::Message(&SUBJECT)),
        one(3, "roleRef", Kind::Message(&ROLE_REF)),
    ]
);
message!(ROLE_REF, "RoleRef", [text(1, "apiGroup"), text(2, "kind"), text(3, "name")]);
message!(
    SUBJECT,
    "Subject",
    [text(1, "kind"), text(2, "apiGroup"), text(3, "name"), text(4, "namespace")]
);
