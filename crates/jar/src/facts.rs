//! What is kept of a jar once it was looked into: as much as can change what [`check`](crate::check) says of it beside
//! others, and no more.

use std::collections::{BTreeMap, BTreeSet};

use flumen_model::FlinkMinor;
use serde::{Deserialize, Serialize};

use crate::{Artifact, EvidenceKind, Jar, Scala, Warning, evidence};

/// How far the classes above one are followed.
const MOST_ABOVE: usize = 16;
/// The interfaces that Flink looks factories up by begin so.
const FACTORIES: &str = "org.apache.flink.table.factories.";

/// What a jar is, beside others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The class that its manifest names for Flink to run.
    pub main_class: Option<String>,
    /// Its classes by their names with dots.
    pub classes: BTreeMap<String, ClassFacts>,
    /// Table factories.
    pub factories: Vec<FactoryFacts>,
    /// What in it was built for which Flink.
    pub built_for: Vec<BuiltFor>,
    /// The artifacts that it was made of.
    pub artifacts: Vec<Artifact>,
    /// Which Scala it was built for.
    pub scala: Scala,
    /// Artifacts of Flink whose classes it holds and every image has.
    pub bundled: Vec<String>,
    /// What its manifest says of its licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Whether jars lie in it, whose classes are not known.
    pub has_nested_jars: bool,
}

/// What is kept of a class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassFacts {
    /// The CRC-32 of its bytes.
    pub checksum: u32,
    /// Whether it has a `public static void main(String[])` itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_main: bool,
    /// The class above, with dots, but for `java.lang.Object`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<String>,
    /// Whether it makes operators of a stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operators: Option<Operators>,
    /// The interfaces that it names itself, with dots. [`Facts`] keep none.
    #[serde(skip)]
    pub interfaces: Vec<String>,
}

/// Operators of a stream, as a class makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operators {
    /// None of them is told who it is.
    WithoutUid,
    /// One or more are given a uid.
    WithUid,
}

impl From<bool> for Operators {
    fn from(has_uid: bool) -> Self {
        if has_uid { Self::WithUid } else { Self::WithoutUid }
    }
}

/// What is kept of a table factory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FactoryFacts {
    /// The class.
    pub class: String,
    /// What stands in `'connector' = '…'` or `'format' = '…'`; none if it is not known.
    pub identifier: Option<String>,
    /// The interfaces that Flink looks it up by, as far as the jar itself says.
    pub interfaces: BTreeSet<String>,
}

/// A part of a jar that was built for one Flink minor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuiltFor {
    /// The minor.
    pub minor: FlinkMinor,
    /// What says so: coordinates, or a place in the jar.
    pub source: String,
    /// What sort of thing says so.
    pub kind: EvidenceKind,
}

impl Facts {
    /// What is kept of this jar.
    pub fn of(jar: Jar) -> Self {
        let built_for = jar.flink.iter().filter_map(|it| {
            let source = it.source.clone();
            Some(BuiltFor { minor: evidence::minor(it)?, source, kind: it.kind })
        });
        let built_for = built_for.collect();
        let bundled = jar.warnings.iter().flat_map(|warning| match warning {
            Warning::BundledFlink { artifacts } => artifacts.as_slice(),
            _ => &[],
        });
        let bundled = bundled.map(|artifact| (*artifact).to_owned()).collect();
        let factories = jar.factories.into_iter().map(|factory| FactoryFacts {
            interfaces: interfaces(&jar.class_facts, &factory.class),
            class: factory.class,
            identifier: factory.identifier,
        });
        let factories = factories.collect();
        let without_interfaces = |(name, class)| (name, ClassFacts { interfaces: vec![], ..class });
        Self {
            main_class: jar.manifest.program_class.or(jar.manifest.main_class),
            license: jar.manifest.license,
            classes: jar.class_facts.into_iter().map(without_interfaces).collect(),
            factories,
            built_for,
            artifacts: jar.artifacts,
            scala: jar.scala,
            bundled,
            has_nested_jars: !jar.nested_jars.is_empty(),
        }
    }
}

/// The interfaces by which Flink finds a factory, from its class and those above it that the jar holds.
fn interfaces(classes: &BTreeMap<String, ClassFacts>, class: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = Some(class);
    for _ in 0..MOST_ABOVE {
        let Some(class) = next.and_then(|name| classes.get(name)) else { break };
        let of_flink = class.interfaces.iter().filter(|name| name.starts_with(FACTORIES));
        found.extend(of_flink.cloned());
        next = class.above.as_deref();
    }
    found
}

/// Whether a class has a main method, itself or from above; none where that is not known.
pub(crate) fn has_main<'f>(
    class: &str,
    mut lookup: impl FnMut(&str) -> Option<&'f ClassFacts>,
) -> Option<bool> {
    let mut name = class.to_owned();
    for _ in 0..MOST_ABOVE {
        let facts = lookup(&name)?;
        if facts.has_main {
            return Some(true);
        }
        let Some(above) = &facts.above else { return Some(false) };
        name.clone_from(above);
    }
    None
}
