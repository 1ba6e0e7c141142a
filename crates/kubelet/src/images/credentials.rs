//! Credentials for registries from Secrets of the types `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg`. Pure.

use std::collections::BTreeMap;

use flumen_image::{Credential, Reference};
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

/// The credentials of a pod, each with what it is for: a registry, or a part of one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Keyring(Vec<(Place, Credential)>);

/// What stands before a credential: `host[:port][/path]`, where each label of the host may have a `*` in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    host: String,
    path: String,
}

impl Keyring {
    /// Adds what a Secret says; entries that cannot be read are left out, as if they were not there.
    pub(crate) fn add(&mut self, secret: &Secret) {
        let data = secret.data.as_ref();
        let value = |key: &str| data.and_then(|data| data.get(key)).map(|value| value.0.as_slice());
        let auths = match (value(CONFIG), value(OLD_CONFIG)) {
            (Some(text), _) => {
                serde_json::from_slice::<Config>(text).map(|config| config.auths).ok()
            }
            (None, Some(text)) => serde_json::from_slice(text).ok(),
            (None, None) => None,
        };
        let entries = auths.into_iter().flatten();
        self.0.extend(
            entries.filter_map(|(at, entry)| Some((Place::parse(&at), credential(entry)?))),
        );
        // The more exact place is tried first; of equals the one that was named first.
        self.0.sort_by(|(one, _), (other, _)| other.cmp(one));
    }

    /// The credentials to try for an image, in this order; without any it is asked for as nobody.
    pub(crate) fn find(&self, image: &Reference) -> Vec<Credential> {
        let fitting = self.0.iter().filter(|(place, _)| place.holds(image));
        fitting.map(|(_, credential)| credential.clone()).collect()
    }
}

impl Place {
    /// `https://index.docker.io/v1/` is how Docker writes its own registry.
    fn parse(text: &str) -> Self {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = match path.split_once('/').unwrap_or((path, "")) {
            ("v1" | "v2", rest) => rest,
            _ => path,
        };
        let host = match host {
            "index.docker.io" | "registry-1.docker.io" => "docker.io",
            host => host,
        };
        Self { host: host.to_owned(), path: path.to_owned() }
    }

    fn holds(&self, image: &Reference) -> bool {
        let ((wanted, port), (labels, other)) = (split(&self.host), split(image.registry()));
        port == other
            && wanted.len() == labels.len()
            && wanted.iter().zip(&labels).all(|(pattern, label)| matches(pattern, label))
            && image.repository().starts_with(&self.path)
    }
}

/// The labels of a host, and its port.
fn split(host: &str) -> (Vec<&str>, &str) {
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    (name.split('.').collect(), port)
}

/// A `*` stands for any letters.
fn matches(pattern: &str, label: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == label };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let between = label.strip_prefix(first).and_then(|label| label.strip_suffix(last));
    // The leftmost place of each part leaves the most for the others, so that no other has to be tried.
    let found = between.and_then(|between| {
        let mut parts = middle.split('*');
        parts.try_fold(between, |left, part| left.split_once(part).map(|(_, right)| right))
    });
    found.is_some()
}

fn credential(entry: Entry) -> Option<Credential> {
    if let (Some(username), Some(password)) = (entry.username, entry.password) {
        return Some(Credential::basic(username, password));
    }
    let text = String::from_utf8(entry.auth?.0).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Credential::basic(username, password))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(key: &str, config: &serde_json::Value) -> Secret {
        let data = BTreeMap::from([(key.to_owned(), ByteString(config.to_string().into_bytes()))]);
        Secret { data: Some(data), ..Secret::default() }
    }

    fn found(keyring: &Keyring, image: &str) -> Vec<String> {
        let found = keyring.find(&image.parse().unwrap());
        let name = |credential| match credential {
            Credential::Basic { username, .. } => username,
            other => format!("{other:?}"),
        };
        found.into_iter().map(name).collect()
    }

    fn keyring(auths: &serde_json::Value) -> Keyring {
        let mut keyring = Keyring::default();
        keyring.add(&secret(CONFIG, &json!({"auths": auths})));
        keyring
    }

    fn user(name: &str) -> serde_json::Value {
        json!({"username": name, "password": "p"})
    }

    #[test]
    fn both_forms_and_both_spellings_are_read() {
        let auths = json!({"https://index.docker.io/v1/": {"auth": "YTpi"}, "r.example:5000": user("c"), "odd": {}});
        for secret in [secret(CONFIG, &json!({"auths": auths})), secret(OLD_CONFIG, &auths)] {
            let mut keyring = Keyring::default();
            keyring.add(&secret);
            assert_eq!(keyring.find(&"flink".parse().unwrap()), [Credential::basic("a", "b")]);
            assert_eq!(found(&keyring, "r.example:5000/x"), ["c"]);
            assert!(found(&keyring, "odd:80/x").is_empty());
        }
        let mut nothing = Keyring::default();
        nothing.add(&secret("other", &json!({})));
        nothing.add(&secret(CONFIG, &json!("text")));
        assert_eq!(nothing, Keyring::default());
    }

    #[test]
    fn a_credential_is_for_its_place_and_the_more_exact_place_comes_first() {
        let keyring = keyring(&json!({
            "r.example": user("all"), "r.example/team": user("team"), "https://r.example/v2/team/job": user("job"),
            "*.example.com": user("any"), "r-*.eu.example.com:443": user("port"),
        }));
        for (image, expected) in [
            ("r.example/other/x", vec!["all"]),
            ("r.example/team/x", vec!["team", "all"]),
            ("r.example/team/job:1", vec!["job", "team", "all"]),
            ("r.example:5000/x", vec![]),
            ("a.example.com/x", vec!["any"]),
            ("a.b.example.com/x", vec![]),
            ("example.com/x", vec![]),
            ("r-1.eu.example.com:443/x", vec!["port"]),
            ("s-1.eu.example.com:443/x", vec![]),
        ] {
            assert_eq!(found(&keyring, image), expected, "{image}");
        }
    }

    #[test]
    fn a_star_stands_for_any_letters_and_many_cost_little() {
        for (pattern, label, expected) in [
            ("a*", "a", true),
            ("a*c", "abc", true),
            ("a*a", "a", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("*b*", "abc", true),
            ("**", "", true),
            (&"*a".repeat(30), &format!("{}b", "a".repeat(60)), false),
        ] {
            assert_eq!(matches(pattern, label), expected, "{pattern} {label}");
        }
    }

    #[test]
    fn of_two_secrets_for_one_place_both_are_tried_in_their_order() {
        let mut both = keyring(&json!({"r.example": user("first")}));
        both.add(&secret(CONFIG, &json!({"auths": {"r.example": user("second")}})));
        assert_eq!(found(&both, "r.example/x"), ["first", "second"]);
    }
}
