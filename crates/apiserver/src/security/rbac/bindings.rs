//! What gives a role to somebody.

use std::fmt;

use serde_json::Value;

use crate::security::User;

/// The role that a binding gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleRef {
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl RoleRef {
    pub(crate) fn of(binding: &Value) -> Self {
        let text = |field: &str| {
            let text = binding.pointer(&format!("/roleRef/{field}")).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        Self { kind: text("kind"), name: text("name") }
    }

    /// Where the role is, if the binding is in a namespace.
    pub(super) fn scope<'a>(&self, namespace: &'a str) -> &'a str {
        if self.kind == "ClusterRole" { "" } else { namespace }
    }
}

/// Somebody to whom a role is given. Service accounts are users with long names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    User(String),
    Group(String),
    ServiceAccount {
        namespace: String,
        name: String,
        user: String,
    },
    /// What nobody is, such as a service account without a namespace.
    Nobody,
}

impl Subject {
    fn of(subject: &Value, namespace: &str) -> Self {
        let text = |field: &str| subject.get(field).and_then(Value::as_str).unwrap_or_default();
        let name = text("name").to_owned();
        match text("kind") {
            "User" => Self::User(name),
            "Group" => Self::Group(name),
            "ServiceAccount" => {
                let own = text("namespace");
                let namespace = if own.is_empty() { namespace } else { own };
                if namespace.is_empty() {
                    return Self::Nobody;
                }
                let user = format!("system:serviceaccount:{namespace}:{name}");
                Self::ServiceAccount { namespace: namespace.to_owned(), name, user }
            }
            _ => Self::Nobody,
        }
    }

    pub(super) fn is(&self, user: &User) -> bool {
        match self {
            Self::User(name) | Self::ServiceAccount { user: name, .. } => *name == user.name,
            Self::Group(group) => user.groups.contains(group),
            Self::Nobody => false,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(formatter, "User {name:?}"),
            Self::Group(name) => write!(formatter, "Group {name:?}"),
            Self::ServiceAccount { namespace, name, .. } => {
                write!(formatter, "ServiceAccount \"{name}/{namespace}\"")
            }
            Self::Nobody => Ok(()),
        }
    }
}

/// A role given to subjects, in a namespace or, where that is empty, everywhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) role: RoleRef,
    pub(super) subjects: Vec<Subject>,
}

impl Binding {
    pub(super) fn of(namespace: &str, name: &str, binding: &Value) -> Self {
        let subjects = binding.get("subjects").and_then(Value::as_array).into_iter().flatten();
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            role: RoleRef::of(binding),
            subjects: subjects.map(|subject| Subject::of(subject, namespace)).collect(),
        }
    }
}

/// As the real server names a binding that allows something.
impl fmt::Display for Binding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name, role, .. } = self;
        if namespace.is_empty() {
            write!(formatter, "ClusterRoleBinding {name:?} of {} {:?}", role.kind, role.name)
        } else {
            let (kind, role) = (&role.kind, &role.name);
            write!(formatter, "RoleBinding \"{name}/{namespace}\" of {kind} {role:?}")
        }
    }
}
