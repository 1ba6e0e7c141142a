//! Who set what: layers of configuration, the higher over the lower, with the origin of each value.

mod effective;
mod map_entries;

use std::collections::BTreeMap;

use flumen_model::{ConfigurationValue, FlinkMinor};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{Catalogue, ConfigurationFormat, Error, Value, flatten};

pub use effective::{Effective, Entry, Explanation, Overridden, Source};

/// A layer of configuration, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The defaults of the Flink version's base image.
    FlinkVersion,
    /// What Flumen itself needs or prefers.
    Platform,
    /// What all jobs on the cluster get.
    Cluster,
    /// What all jobs in the environment get.
    Environment,
    /// What all jobs of the team get.
    Team,
    /// The job's own configuration.
    Job,
    /// What one run adds: its id, paths and the snapshot it starts from.
    Run,
}

impl std::fmt::Display for Layer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::FlinkVersion => "Flink version",
            Self::Platform => "platform",
            Self::Cluster => "cluster",
            Self::Environment => "environment",
            Self::Team => "team",
            Self::Job => "job",
            Self::Run => "run",
        })
    }
}

/// Layers of configuration for a Flink of one minor.
///
/// ```
/// use flumen_flink_conf::{Layer, Layers};
/// use flumen_model::FlinkMinor;
///
/// let mut layers = Layers::new(FlinkMinor::new(1, 20));
/// layers.add(Layer::Environment, [("state.backend.type", "hashmap")]);
/// layers.add(Layer::Job, [("state.backend", "rocksdb")]);
/// let effective = layers.resolve();
/// let entry = effective.entry("state.backend.type").unwrap();
/// assert_eq!((entry.layer, entry.overridden[0].layer), (Layer::Job, Layer::Environment));
/// ```
#[derive(Debug, Clone)]
pub struct Layers {
    minor: FlinkMinor,
    format: ConfigurationFormat,
    by_layer: BTreeMap<Layer, IndexMap<String, Value>>,
}

impl Layers {
    /// No layers yet, in the format that this minor uses when nobody chose.
    pub fn new(minor: FlinkMinor) -> Self {
        Self { minor, format: ConfigurationFormat::of(minor), by_layer: BTreeMap::new() }
    }

    /// The same layers for a configuration in this format: 1.19 and 1.20 know both.
    #[must_use]
    pub fn with_format(self, format: ConfigurationFormat) -> Self {
        Self { format, ..self }
    }

    /// Adds entries to a layer; the last of two with the same key counts.
    pub fn add<K: Into<String>, V: Into<Value>>(
        &mut self,
        layer: Layer,
        entries: impl IntoIterator<Item = (K, V)>,
    ) {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into()));
        self.by_layer.entry(layer).or_default().extend(entries);
    }

    /// Adds what a file holds, nested or dotted.
    ///
    /// # Errors
    /// If a key is given twice or a value has a form that no option takes.
    pub fn add_file(
        &mut self,
        layer: Layer,
        tree: &BTreeMap<String, ConfigurationValue>,
    ) -> Result<(), Error> {
        let entries = flatten(tree, Catalogue::of(self.minor))?;
        self.add(layer, entries);
        Ok(())
    }

    /// The layers merged by key. A key and its aliases count as one: a job that sets an old name
    /// overrides an environment that sets the new one.
    pub fn resolve(&self) -> Effective {
        let catalogue = Catalogue::of(self.minor);
        let mut merged: IndexMap<String, Vec<Entry>> = IndexMap::new();
        for (layer, entries) in &self.by_layer {
            for (key, value) in entries {
                let group = merged.entry(catalogue.canonical(key).to_owned()).or_default();
                let mut entry = Entry::new(key, value.clone(), *layer);
                // Two names of one option in the same layer stay both: Flink's order decides.
                if group.iter().any(|other| other.layer < *layer) {
                    entry.overridden = group.drain(..).flat_map(Entry::into_history).collect();
                }
                group.push(entry);
            }
        }
        let entries = merged.into_values().flatten().collect();
        Effective::new(
            self.minor,
            self.format,
            map_entries::folded(catalogue, self.format, entries),
        )
    }
}
