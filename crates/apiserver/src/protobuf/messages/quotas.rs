//! Quotas.

use super::{Kind, METADATA, Message, many, one, pointer, text};

const AMOUNTS: Kind = Kind::Map(&Kind::Quantity);

message!(
    QUOTA,
    "ResourceQuota",
    [
        METADATA,
        one(2, "spec", Kind::Message(&QUOTA_SPEC)),
        one(3, "status", Kind::Message(&QUOTA_STATUS)),
    ]
);
message!(
    QUOTA_SPEC,
    "ResourceQuotaSpec",
    [
        one(1, "hard", AMOUNTS),
        many(2, "scopes", Kind::Text),
        pointer(3, "scopeSelector", Kind::Message(&SCOPE_SELECTOR)),
    ]
);
message!(QUOTA_STATUS, "ResourceQuotaStatus", [one(1, "hard", AMOUNTS), one(2, "used", AMOUNTS)]);
message!(
    SCOPE_SELECTOR,
    "ScopeSelector",
    [many(1, "matchExpressions", Kind::Message(&SCOPE_REQUIREMENT))]
);
message!(
    SCOPE_REQUIREMENT,
    "ScopedResourceSelectorRequirement",
    [text(1, "scopeName"), text(2, "operator"), many(3, "values", Kind::Text)]
);
