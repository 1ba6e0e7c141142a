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

mod objects;
mod quotas;
mod reviews;

use self::{
    objects::{CONFIG_MAP, DEPLOYMENT, NAMESPACE, SECRET, SERVICE, SERVICE_ACCOUNT},
    quotas::QUOTA,
    reviews::{ACCESS_REVIEW, RULES_REVIEW, SELF_REVIEW, TOKEN_REQUEST},
};

/// The kinds that are taken in protobuf.
pub(super) const ROOTS: [(&str, &Message); 12] = [
    ("Namespace", &NAMESPACE),
    ("ConfigMap", &CONFIG_MAP),
    ("Secret", &SECRET),
    ("ServiceAccount", &SERVICE_ACCOUNT),
    ("Service", &SERVICE),
    ("Deployment", &DEPLOYMENT),
    ("ResourceQuota", &QUOTA),
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
