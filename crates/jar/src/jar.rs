use std::collections::BTreeMap;

use flumen_model::Digest;
use serde::{Deserialize, Serialize};

use crate::{ClassFacts, Manifest, Warning};

/// What a jar says of itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Jar {
    /// Bytes of the file.
    pub size: u64,
    /// Digest of the file.
    pub digest: Digest,
    /// How many entries it has, without directories.
    pub entries: usize,
    /// How many of them are classes.
    pub classes: usize,
    /// The Java version that the newest of its classes needs.
    pub java: Option<u16>,
    /// The manifest.
    pub manifest: Manifest,
    /// Classes with a `public static void main(String[])`, but for those of libraries: see
    /// [`inspect`](crate::inspect).
    pub main_classes: Vec<String>,
    /// The Flink versions that something in it names, and what does.
    pub flink: Vec<FlinkEvidence>,
    /// Which Scala it was built for.
    pub scala: Scala,
    /// Artifacts that it was made of.
    pub artifacts: Vec<Artifact>,
    /// Table factories.
    pub factories: Vec<Factory>,
    /// Other service files.
    pub services: Vec<Service>,
    /// Packages of other projects under another name.
    pub relocated: Vec<Relocated>,
    /// Jars in the jar, which Flink puts on the class path if they lie in `lib/`.
    pub nested_jars: Vec<String>,
    /// What is doubtful.
    pub warnings: Vec<Warning>,
    /// Its classes by name with dots, for [`Facts`](crate::Facts).
    #[serde(skip)]
    pub class_facts: BTreeMap<String, ClassFacts>,
}

/// A Flink version and what says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlinkEvidence {
    /// A version such as `1.20.5`, or a minor such as `1.20`.
    pub version: String,
    /// The artifact or entry that says so.
    pub source: String,
    /// What sort of thing says so.
    #[serde(skip)]
    pub kind: EvidenceKind,
}

/// What names a Flink version, the most certain first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// A connector of Flink with releases of its own for each minor.
    Connector,
    /// A part of Flink, released with it.
    Flink,
    /// Something that need not mean it: the version of another project, or a property of its build.
    #[default]
    Hint,
}

/// Which Scala a jar was built for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scala {
    /// Binary versions in the names of its artifacts, such as `2.12`.
    pub suffixes: Vec<String>,
    /// Whether the Scala library lies in it.
    pub is_bundled: bool,
    /// The version of that library, where it says so.
    pub version: Option<String>,
}

/// A Maven artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Group id.
    pub group: String,
    /// Artifact id.
    pub artifact: String,
    /// Version.
    pub version: String,
}

/// A table factory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Factory {
    /// The class.
    pub class: String,
    /// What stands in `'connector' = '…'` or `'format' = '…'`; none if the class computes it or it is a
    /// factory of Flink before 1.11.
    pub identifier: Option<String>,
    /// The service that it is listed for.
    pub service: String,
}

/// A file of `META-INF/services`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// The interface.
    pub name: String,
    /// The classes that are listed.
    pub providers: Vec<String>,
}

/// Packages of other projects under another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Relocated {
    /// The package they were put under.
    pub package: String,
    /// How many classes lie there.
    pub classes: usize,
}
