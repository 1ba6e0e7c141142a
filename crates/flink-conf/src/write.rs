//! The configuration file that goes into the pods, as the client of each version writes it.

mod conflict;
pub(crate) mod legacy;
mod standard;

use crate::{Configuration, ConfigurationFormat, Value, feature, java};

/// A rendered configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationFile {
    /// `flink-conf.yaml` or `config.yaml`.
    pub name: &'static str,
    /// The whole text, ending in a line break.
    pub text: String,
    /// What a Flink will read otherwise than it was given, because the legacy format has no way to
    /// write it. Always empty in the standard format.
    pub losses: Vec<Loss>,
}

/// A value that the legacy format cannot carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The key.
    pub key: String,
    /// What happens to the value, as a sentence about it.
    pub what: &'static str,
}

/// Keys that only the client's side needs.
const CLIENT_ONLY: [&str; 2] = ["kubernetes.config.file", CONFIG_DIRECTORY];
/// Flink's client always has this one in memory; it counts for the order of keys.
const CONFIG_DIRECTORY: &str = "$internal.deployment.config-dir";
/// Addresses of the client's machine, which mean nothing in a pod.
const CLIENT_ADDRESSES: [&str; 4] =
    ["rest.bind-address", "jobmanager.bind-host", "taskmanager.bind-host", "taskmanager.host"];

/// Writes the file that a JobManager of the configuration's minor reads, in the configuration's
/// format: the keys that only a client needs are left out, the others stand in the order in which
/// Flink's own client writes them.
///
/// Where one key is the dotted prefix of another, which Flink's client (1.19 and later) loses or fails
/// on, the short key is written under the longer name that this minor prefers, or, if it has none,
/// in a form that Flink reads as the same key: nothing is lost.
pub fn render_configuration_file(configuration: &Configuration) -> ConfigurationFile {
    let format = configuration.format();
    let shipped = shipped(configuration);
    let (text, losses) = match format {
        ConfigurationFormat::Legacy => {
            let entries = ordered(&shipped, java::grown_capacity(shipped.len()));
            (legacy::render(&entries), legacy::losses(&entries))
        }
        ConfigurationFormat::Standard => {
            let has_directory = configuration.get(CONFIG_DIRECTORY).is_some();
            let in_memory = configuration.len() + usize::from(!has_directory);
            let resolved = conflict::with_preferred_keys(configuration.catalogue(), shipped);
            let entries = ordered(&resolved, java::copied_capacity(in_memory));
            (standard::render(&entries), Vec::new())
        }
    };
    ConfigurationFile { name: format.file_name(), text, losses }
}

/// The entries that the JobManager gets.
fn shipped(configuration: &Configuration) -> Vec<(&str, &Value)> {
    let addresses_stay = !feature::ADDRESSES_SHIPPED.is_in(configuration.minor());
    let is_shipped = |key: &str| {
        !CLIENT_ONLY.contains(&key) && (!addresses_stay || !CLIENT_ADDRESSES.contains(&key))
    };
    configuration.iter().filter(|(key, _)| is_shipped(key)).collect()
}

fn ordered<'a>(entries: &[(&'a str, &'a Value)], capacity: u32) -> Vec<(&'a str, &'a Value)> {
    let keys: Vec<&str> = entries.iter().map(|(key, _)| *key).collect();
    java::hash_order(&keys, capacity).into_iter().map(|at| entries[at]).collect()
}
