//! Credentials for registries from Secrets of type `kubernetes.io/dockerconfigjson`. Pure.

use std::collections::BTreeMap;

use flumen_image::Credential;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use serde::Deserialize;

const CONFIG: &str = ".dockerconfigjson";
const OLD_CONFIG: &str = ".dockercfg";

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    username: Option<String>,
    password: Option<String>,
    /// `username:password` in base64.
    auth: Option<ByteString>,
}

/// Credentials by registry; entries that cannot be read are left out, as if they were not there.
pub(crate) fn from_secret(secret: &Secret) -> BTreeMap<String, Credential> {
    let data = secret.data.as_ref();
    let value = |key: &str| data.and_then(|data| data.get(key)).map(|value| value.0.as_slice());
    let auths = match (value(CONFIG), value(OLD_CONFIG)) {
        (Some(text), _) => serde_json::from_slice::<Config>(text).map(|config| config.auths).ok(),
        (None, Some(text)) => serde_json::from_slice(text).ok(),
        (None, None) => None,
    };
    auths
        .into_iter()
        .flatten()
        .filter_map(|(registry, entry)| Some((host(&registry), credential(entry)?)))
        .collect()
}

fn credential(entry: Entry) -> Option<Credential> {
    if let (Some(username), Some(password)) = (entry.username, entry.password) {
        return Some(Credential::basic(username, password));
    }
    let text = String::from_utf8(entry.auth?.0).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Credential::basic(username, password))
}

/// `https://index.docker.io/v1/` is how Docker writes its own registry.
fn host(registry: &str) -> String {
    let rest = registry.split_once("://").map_or(registry, |(_, rest)| rest);
    match rest.split('/').next().unwrap_or_default() {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        host => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(key: &str, config: &serde_json::Value) -> Secret {
        let data = BTreeMap::from([(key.to_owned(), ByteString(config.to_string().into_bytes()))]);
        Secret { data: Some(data), ..Secret::default() }
    }

    #[test]
    fn both_forms_and_both_spellings_are_read() {
        let auths = json!({"https://index.docker.io/v1/": {"auth": "YTpi"}, "r.example:5000": {"username": "c", "password": "d"}, "odd": {}});
        for secret in [secret(CONFIG, &json!({"auths": auths})), secret(OLD_CONFIG, &auths)] {
            let found = from_secret(&secret);
            assert_eq!(found["docker.io"], Credential::basic("a", "b"));
            assert_eq!(found["r.example:5000"], Credential::basic("c", "d"));
            assert_eq!(found.len(), 2);
        }
        assert_eq!(from_secret(&secret("other", &json!({}))), BTreeMap::new());
    }
}
