//! A kubeconfig: which of its contexts is meant, and what is left when files are read into it.

mod check;
mod credentials;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flumen_model::{ClusterAccess, Secret};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// More is no kubeconfig of a person.
const LIMIT: usize = 1 << 20;

/// Fields of the cluster that name a file, each beside the one that holds its content.
const CLUSTER_FILES: [(&str, &str); 1] = [("certificate-authority", "certificate-authority-data")];
/// Fields of the user that do.
const USER_FILES: [(&str, &str); 2] =
    [("client-certificate", "client-certificate-data"), ("client-key", "client-key-data")];
/// The one whose content is the token itself.
const TOKEN_FILE: &str = "tokenFile";

/// What is wrong with a kubeconfig. No message has anything of its values but names and addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no YAML, or not that of a kubeconfig.
    #[error("the kubeconfig {origin} cannot be used: {problem}")]
    Unusable {
        /// Where it comes from.
        origin: String,
        /// What is wrong, with the place.
        problem: String,
    },
    /// The context is not in it.
    #[error("the kubeconfig {origin} has no context {context:?}; it has {known}")]
    UnknownContext {
        /// Where it comes from.
        origin: String,
        /// The context that was asked for.
        context: String,
        /// Those it has.
        known: String,
    },
    /// A field has a value that cannot be used.
    #[error("{field} of the kubeconfig {origin} (context {context}) {problem}")]
    Field {
        /// Where it comes from.
        origin: String,
        /// The context.
        context: String,
        /// The field, for example `client-certificate-data`.
        field: String,
        /// What is wrong, as the rest of the sentence.
        problem: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownContext { .. } => Some("Name one of those with --context."),
            Self::Field { field, .. } if field == "auth-provider" => Some(
                "Kubernetes' clients dropped it in 1.26; let the provider's tool write a kubeconfig with `exec`, or give the token of a service account.",
            ),
            Self::Unusable { .. } | Self::Field { .. } => None,
        }
    }
}

/// A kubeconfig as it was read.
#[derive(Clone)]
pub struct Kubeconfig {
    origin: String,
    root: Map<String, Value>,
}

/// One context of a kubeconfig: its cluster and its user.
#[derive(Clone)]
pub struct Chosen {
    origin: String,
    context: String,
    cluster: Map<String, Value>,
    user: Map<String, Value>,
}

/// A field that names a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileField {
    /// The field, for example `client-key`.
    pub field: &'static str,
    /// The path in it, which is relative to the kubeconfig.
    pub path: String,
}

/// A kubeconfig with one context that needs no files: it can be used on another machine.
#[derive(Debug, Clone)]
pub struct Portable {
    /// The kubeconfig, as JSON, which is YAML too.
    pub text: Secret,
    /// What of it can be shown.
    pub access: ClusterAccess,
    /// The command that makes the credentials, which must be on the machine that uses it.
    pub command: Option<String>,
    /// What one should know of it, each in a sentence.
    pub notes: Vec<String>,
}

impl Kubeconfig {
    /// Reads the text. `origin` is its path, or `of cluster NAME`.
    ///
    /// # Errors
    /// [`Error::Unusable`].
    pub fn parse(origin: &str, text: &str) -> Result<Self, Error> {
        let unusable = |problem: String| Error::Unusable { origin: origin.to_owned(), problem };
        if text.len() > LIMIT {
            return Err(unusable(format!("it has more than {LIMIT} bytes")));
        }
        // A snippet of the file could have a token in it.
        let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
        let value: Value = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let at =
                error.location().map(|at| format!(" (line {}, column {})", at.line(), at.column()));
            unusable(format!("it is not the YAML of a kubeconfig{}", at.unwrap_or_default()))
        })?;
        match value {
            Value::Object(root)
                if root.contains_key("contexts") || root.contains_key("clusters") =>
            {
                Ok(Self { origin: origin.to_owned(), root })
            }
            Value::Null => Err(unusable("it is empty".to_owned())),
            _ => Err(unusable("it has no contexts and no clusters".to_owned())),
        }
    }

    /// Takes one context out of it. Default: its current one.
    ///
    /// # Errors
    /// [`Error::UnknownContext`], and [`Error::Unusable`] where cluster or user of the context are not there.
    pub fn choose(&self, context: Option<&str>) -> Result<Chosen, Error> {
        let unusable = |problem: String| Error::Unusable { origin: self.origin.clone(), problem };
        let current = self.root.get("current-context").and_then(Value::as_str);
        let current = current.filter(|name| !name.is_empty());
        let name = context.or(current).ok_or_else(|| {
            unusable(format!(
                "it has no current-context, and none is named; it has {}",
                self.known()
            ))
        })?;
        let found =
            self.named("contexts", "context", name).ok_or_else(|| Error::UnknownContext {
                origin: self.origin.clone(),
                context: name.to_owned(),
                known: self.known(),
            })?;
        let part = |list: &str, key: &'static str| {
            let wanted = found.get(key).and_then(Value::as_str).unwrap_or_default();
            self.named(list, key, wanted).cloned().ok_or_else(|| {
                unusable(format!(
                    "its context {name:?} names the {key} {wanted:?}, which is not in it"
                ))
            })
        };
        let names_user =
            found.get("user").and_then(Value::as_str).is_some_and(|user| !user.is_empty());
        Ok(Chosen {
            origin: self.origin.clone(),
            context: name.to_owned(),
            cluster: part("clusters", "cluster")?,
            user: if names_user { part("users", "user")? } else { Map::new() },
        })
    }

    fn named(&self, list: &str, key: &str, name: &str) -> Option<&Map<String, Value>> {
        let items = self.root.get(list)?.as_array()?;
        let is_it = |item: &&Value| item["name"].as_str() == Some(name);
        items.iter().find(is_it)?.get(key)?.as_object()
    }

    fn known(&self) -> String {
        let items = self.root.get("contexts").and_then(Value::as_array);
        let names: Vec<_> =
            items.into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
        if names.is_empty() { "no context at all".to_owned() } else { names.join(", ") }
    }
}

impl Chosen {
    /// The files that its fields name, where there is no content beside them, which would count.
    pub fn files(&self) -> Vec<FileField> {
        let mut files = Vec::new();
        let mut look = |part: &Map<String, Value>, fields: &[(&'static str, &str)]| {
            for (field, data) in fields {
                if let (Some(path), None) = (text(part, field), text(part, data)) {
                    files.push(FileField { field, path: path.to_owned() });
                }
            }
        };
        look(&self.cluster, &CLUSTER_FILES);
        look(&self.user, &USER_FILES);
        look(&self.user, &[(TOKEN_FILE, "token")]);
        if let Some(path) = self.oidc().and_then(|oidc| text(oidc, credentials::OIDC_AUTHORITY))
            && self
                .oidc()
                .is_some_and(|oidc| text(oidc, credentials::OIDC_AUTHORITY_DATA).is_none())
        {
            files.push(FileField { field: credentials::OIDC_AUTHORITY, path: path.to_owned() });
        }
        files
    }

    /// Puts the content of a file in the place of its path.
    ///
    /// # Errors
    /// [`Error::Field`] for a token that is no text.
    pub fn inline(&mut self, field: &str, content: &[u8]) -> Result<(), Error> {
        if field == TOKEN_FILE {
            let token = std::str::from_utf8(content)
                .map_err(|_| self.fault(TOKEN_FILE, "names a file that holds no text"))?;
            self.user.insert("token".to_owned(), token.trim().into());
            return Ok(());
        }
        let data = Value::from(STANDARD.encode(content));
        if field == credentials::OIDC_AUTHORITY {
            if let Some(oidc) =
                self.user.get_mut("auth-provider").and_then(|one| one["config"].as_object_mut())
            {
                oidc.insert(credentials::OIDC_AUTHORITY_DATA.to_owned(), data);
            }
            return Ok(());
        }
        for (part, fields) in
            [(&mut self.cluster, &CLUSTER_FILES[..]), (&mut self.user, &USER_FILES[..])]
        {
            if let Some((_, key)) = fields.iter().find(|(known, _)| *known == field) {
                part.insert((*key).to_owned(), data.clone());
            }
        }
        Ok(())
    }

    /// What can be used anywhere, with everything in it checked as of `now`.
    ///
    /// # Errors
    /// [`Error::Field`]: it names a file whose content was not given, or something in it cannot be used.
    pub fn portable(mut self, now: Timestamp) -> Result<Portable, Error> {
        if let Some(FileField { field, .. }) = self.files().first() {
            return Err(self.fault(
                *field,
                "names a file, which only the machine that the kubeconfig is on can read",
            ));
        }
        for (part, fields) in
            [(&mut self.cluster, &CLUSTER_FILES[..]), (&mut self.user, &USER_FILES[..])]
        {
            for (field, _) in fields {
                part.remove(*field);
            }
            // To clients a field that is empty is there, and counts before others.
            part.retain(|_, value| !value.is_null() && *value != "");
        }
        self.user.remove(TOKEN_FILE);
        if let Some(oidc) =
            self.user.get_mut("auth-provider").and_then(|one| one["config"].as_object_mut())
        {
            oidc.remove(credentials::OIDC_AUTHORITY);
        }
        let mut notes = Vec::new();
        let access = self.access(now, &mut notes)?;
        let command =
            self.user.get("exec").and_then(|exec| exec["command"].as_str()).map(str::to_owned);
        let whole = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.context,
            "contexts": [{"name": self.context, "context": {"cluster": "cluster", "user": "user"}}],
            "clusters": [{"name": "cluster", "cluster": self.cluster}],
            "users": [{"name": "user", "user": self.user}],
        });
        Ok(Portable { text: Secret::new(whole.to_string()), access, command, notes })
    }

    fn oidc(&self) -> Option<&Map<String, Value>> {
        let provider = self.user.get("auth-provider")?;
        provider["config"].as_object().filter(|_| provider["name"] == "oidc")
    }

    fn fault(&self, field: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::Field {
            origin: self.origin.clone(),
            context: self.context.clone(),
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// A field that is there and not empty.
fn text<'a>(part: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    part.get(field)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
