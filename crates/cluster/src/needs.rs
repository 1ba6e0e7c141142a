//! What the Flink configuration of the jobs in a namespace asks of it.

use std::collections::{BTreeMap, BTreeSet};

use flumen_model::ConfigurationValue;

/// A Flink configuration, by option.
pub type Configuration = BTreeMap<String, ConfigurationValue>;

const ACCOUNT: &str = "kubernetes.service-account";
const ROLES: [&str; 2] =
    ["kubernetes.jobmanager.service-account", "kubernetes.taskmanager.service-account"];
const PULL_SECRETS: &str = "kubernetes.container.image.pull-secrets";
const HOST_NETWORK: &str = "kubernetes.hostnetwork.enabled";
/// The service account that every namespace has.
const DEFAULT: &str = "default";

/// What is asked of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The service accounts of JobManagers and TaskManagers.
    pub accounts: BTreeSet<String>,
    /// The Secrets that images are pulled with.
    pub pull_secrets: BTreeSet<String>,
    /// Whether a job has the network of the host.
    pub host_network: bool,
}

impl Needs {
    /// Of these configurations together, each of one job or of what all jobs start from.
    pub fn of<'c>(configurations: impl IntoIterator<Item = &'c Configuration>) -> Self {
        let mut needs = Self::default();
        for configuration in configurations {
            let shared = text(configuration, ACCOUNT).unwrap_or(DEFAULT);
            let of_roles = ROLES.map(|role| text(configuration, role).unwrap_or(shared).to_owned());
            needs.accounts.extend(of_roles);
            needs.pull_secrets.extend(list(configuration, PULL_SECRETS));
            needs.host_network |= match configuration.get(HOST_NETWORK) {
                Some(ConfigurationValue::Boolean(value)) => *value,
                Some(ConfigurationValue::Text(text)) => text.trim().eq_ignore_ascii_case("true"),
                _ => false,
            };
        }
        needs
    }
}

fn text<'c>(configuration: &'c Configuration, key: &str) -> Option<&'c str> {
    match configuration.get(key)? {
        ConfigurationValue::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// A list as Flink takes it: of its own, or a text with `;` between.
fn list(configuration: &Configuration, key: &str) -> Vec<String> {
    let one = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    match configuration.get(key) {
        Some(ConfigurationValue::Text(text)) => text.split(';').filter_map(one).collect(),
        Some(ConfigurationValue::List(items)) => {
            let texts = items.iter().filter_map(|item| match item {
                ConfigurationValue::Text(text) => one(text),
                _ => None,
            });
            texts.collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(pairs: &[(&str, ConfigurationValue)]) -> Configuration {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    fn value(text: &str) -> ConfigurationValue {
        ConfigurationValue::Text(text.to_owned())
    }

    #[test]
    fn accounts_and_secrets_are_those_of_all_jobs_together() {
        let first = configuration(&[(ACCOUNT, value("flink")), (PULL_SECRETS, value("a; b"))]);
        let list = ConfigurationValue::List(vec![value("c")]);
        let second = configuration(&[
            (ROLES[0], value("manager")),
            (HOST_NETWORK, ConfigurationValue::Boolean(true)),
            (PULL_SECRETS, list),
        ]);
        let needs = Needs::of([&first, &second]);
        let all = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(all(&needs.accounts), "default flink manager");
        assert_eq!(all(&needs.pull_secrets), "a b c");
        assert!(needs.host_network);
        assert_eq!(all(&Needs::of([&Configuration::new()]).accounts), "default");
    }
}
