//! The objects that give Flumen and Flink the rights that they need, and nothing more.

use flumen_model::{CredentialKind, Namespace};
use serde_json::{Value, json};

use crate::rights::{Who, rights};

/// The name of the Roles, and of what binds them, of Flumen's account.
const FLUMEN_ROLE: &str = "flumen";
/// The name of those of Flink's.
const FLINK_ROLE: &str = "flumen-flink";
/// The service account that every namespace has from the start.
const DEFAULT_ACCOUNT: &str = "default";

/// Whom the API server takes Flumen for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// A service account, which is made too.
    Service {
        /// Its namespace.
        namespace: Namespace,
        /// Its name.
        name: String,
    },
    /// A user, as certificates, tokens and commands name it.
    User(String),
    /// A group of users.
    Group(String),
}

impl Account {
    /// Whom the API server takes Flumen for, as far as that can be told from outside: a command or an issuer does not tell.
    pub fn told_by(
        credentials: Option<CredentialKind>,
        account: Option<&str>,
        acts_as: Option<&str>,
    ) -> Option<Self> {
        if let Some(user) = acts_as {
            return Some(Self::named(user));
        }
        match credentials? {
            CredentialKind::Token
            | CredentialKind::ClientCertificate
            | CredentialKind::Password => account.map(Self::named),
            CredentialKind::Command | CredentialKind::Oidc | CredentialKind::None => None,
        }
    }

    fn named(user: &str) -> Self {
        let parts = user.strip_prefix("system:serviceaccount:").and_then(|it| it.split_once(':'));
        let service = parts.and_then(|(namespace, name)| {
            Some(Self::Service { namespace: namespace.parse().ok()?, name: name.to_owned() })
        });
        service.unwrap_or_else(|| Self::User(user.to_owned()))
    }
}

/// A namespace that jobs run in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The namespace.
    pub namespace: Namespace,
    /// The service accounts of the jobs there.
    pub accounts: Vec<String>,
    /// Whether some of the jobs have the network of the host.
    pub host_network: bool,
}

/// Namespaces, service accounts, Roles and what binds them, in the order in which they can be created.
pub fn objects(account: &Account, places: &[Place]) -> Vec<Value> {
    let mut objects = Vec::new();
    if let Account::Service { namespace, name } = account {
        if !places.iter().any(|place| place.namespace == *namespace) {
            objects.push(namespace_object(namespace));
        }
        let own: Vec<_> = places.iter().map(|place| namespace_object(&place.namespace)).collect();
        objects.extend(own);
        objects.push(service_account(namespace, name));
    } else {
        objects.extend(places.iter().map(|place| namespace_object(&place.namespace)));
    }
    for place in places {
        let Place { namespace, accounts, host_network } = place;
        for name in accounts.iter().filter(|name| *name != DEFAULT_ACCOUNT) {
            objects.push(service_account(namespace, name));
        }
        objects.push(role(namespace, FLUMEN_ROLE, (Who::Flumen, *host_network)));
        objects.push(binding(namespace, FLUMEN_ROLE, &[subject(account)]));
        objects.extend(flink_rights(place));
    }
    objects
}

/// The Role of Flink's pods in a namespace, and what binds it to their accounts.
pub fn flink_rights(place: &Place) -> [Value; 2] {
    let Place { namespace, accounts, host_network } = place;
    let subject = |name: &String| json!({"kind": "ServiceAccount", "name": name, "namespace": namespace.as_str()});
    let subjects: Vec<_> = accounts.iter().map(subject).collect();
    [
        role(namespace, FLINK_ROLE, (Who::Flink, *host_network)),
        binding(namespace, FLINK_ROLE, &subjects),
    ]
}

fn namespace_object(name: &Namespace) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name.as_str()}})
}

fn service_account(namespace: &Namespace, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": namespace.as_str()},
    })
}

fn role(namespace: &Namespace, name: &str, (who, host_network): (Who, bool)) -> Value {
    let rules = rights(who, host_network).map(|right| {
        let resource = match right.subresource {
            "" => right.resource.to_owned(),
            part => format!("{}/{part}", right.resource),
        };
        json!({"apiGroups": [right.group], "resources": [resource], "verbs": right.verbs})
    });
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": name, "namespace": namespace.as_str()},
        "rules": rules.collect::<Vec<_>>(),
    })
}

fn binding(namespace: &Namespace, role: &str, subjects: &[Value]) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": role, "namespace": namespace.as_str()},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        "subjects": subjects,
    })
}

fn subject(account: &Account) -> Value {
    match account {
        Account::Service { namespace, name } => {
            json!({"kind": "ServiceAccount", "name": name, "namespace": namespace.as_str()})
        }
        Account::User(name) => {
            json!({"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"})
        }
        Account::Group(name) => {
            json!({"kind": "Group", "name": name, "apiGroup": "rbac.authorization.k8s.io"})
        }
    }
}

/// The objects as one YAML file, for `kubectl apply -f -`.
pub fn yaml(objects: &[Value]) -> String {
    let mut text = String::new();
    for object in objects {
        text.push_str("---\n");
        write(object, 0, &mut text);
    }
    text
}

/// Block style, with lists of words in one line. Texts are quoted as JSON quotes them, which is YAML too.
fn write(value: &Value, depth: usize, text: &mut String) {
    let Value::Object(fields) = value else { return };
    for (key, value) in fields {
        text.push_str(&"  ".repeat(depth));
        text.push_str(key);
        text.push(':');
        write_field(value, depth, text);
    }
}

fn write_field(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(_) => {
            text.push('\n');
            write(value, depth + 1, text);
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            text.push('\n');
            for item in items {
                let mut inner = String::new();
                write(item, depth + 1, &mut inner);
                let indent = "  ".repeat(depth);
                text.push_str(&indent);
                text.push_str("- ");
                text.push_str(inner.trim_start());
            }
        }
        Value::Array(items) => {
            let words: Vec<_> = items.iter().map(scalar).collect();
            text.push_str(" [");
            text.push_str(&words.join(", "));
            text.push_str("]\n");
        }
        other => {
            text.push(' ');
            text.push_str(&scalar(other));
            text.push('\n');
        }
    }
}

/// A word that YAML reads as itself needs no quotes.
fn scalar(value: &Value) -> String {
    let is_plain = |text: &str| {
        text.starts_with(|one: char| one.is_ascii_alphabetic())
            && text.chars().all(|one| one.is_ascii_alphanumeric() || "-/._".contains(one))
            && !matches!(
                text.to_ascii_lowercase().as_str(),
                "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
            )
    };
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(namespace: &str, accounts: &[&str]) -> Place {
        Place {
            namespace: namespace.parse().expect("valid"),
            accounts: accounts.iter().map(ToString::to_string).collect(),
            host_network: false,
        }
    }

    #[test]
    fn the_manifest_gives_just_what_the_list_has() {
        let account = Account::Service {
            namespace: "flumen".parse().expect("valid"),
            name: "flumen".to_owned(),
        };
        let places = [place("prod", &["flink"])];
        insta::assert_snapshot!(yaml(&objects(&account, &places)));
    }

    #[test]
    fn whom_flumen_is_taken_for_is_told_by_its_credentials_where_they_say_so() {
        const ROBOT: &str = "system:serviceaccount:flumen:robot";
        let robot = Account::Service {
            namespace: "flumen".parse().expect("valid"),
            name: "robot".to_owned(),
        };
        let user = |name: &str| Some(Account::User(name.to_owned()));
        for (kind, account, acts_as, expected) in [
            (CredentialKind::Token, Some(ROBOT), None, Some(robot.clone())),
            (CredentialKind::Token, None, None, None),
            (CredentialKind::ClientCertificate, Some("ann"), None, user("ann")),
            (CredentialKind::ClientCertificate, Some("ann"), Some(ROBOT), Some(robot)),
            (CredentialKind::Command, Some("aws"), None, None),
            (CredentialKind::Command, Some("aws"), Some("bob"), user("bob")),
            (CredentialKind::Oidc, Some("https://id.example.com"), None, None),
        ] {
            assert_eq!(Account::told_by(Some(kind), account, acts_as), expected);
        }
        assert_eq!(Account::told_by(None, None, None), None);
    }

    #[test]
    fn what_is_printed_is_what_was_meant() {
        let account = Account::User("o:platform, \"x\"".to_owned());
        let all =
            objects(&account, &[place("a", &["default"]), place("true", &["flink", "other"])]);
        let read: Vec<Value> = yaml(&all)
            .split("---\n")
            .filter(|part| !part.is_empty())
            .map(|part| serde_saphyr::from_str(part).expect("YAML"))
            .collect();
        assert_eq!(read, all);
        let accounts = all.iter().filter(|one| one["kind"] == "ServiceAccount");
        assert_eq!(accounts.count(), 2, "default is there already, and the user is none");
    }
}
