//! The kinds that are answered and never stored.

use super::{Kind, METADATA, Message, many, one, pointer, text};

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
