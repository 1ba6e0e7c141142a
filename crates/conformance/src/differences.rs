//! The cases in which the local cluster answers otherwise, each with the reason.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// In what a case may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Only in the words of messages.
    Words,
    /// In anything, on purpose.
    Answer,
    /// In anything, until somebody mends it.
    Open,
}

/// The reasons by the names of cases. A name that ends with a star stands for all that begin so.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    words: BTreeMap<String, String>,
    #[serde(default)]
    answers: BTreeMap<String, String>,
    #[serde(default)]
    open: BTreeMap<String, String>,
}

/// The cases that may differ.
#[derive(Debug, Default)]
pub(crate) struct Differences(Vec<(String, Extent, String)>);

impl Differences {
    /// Reads the file of reasons; each must be of one of the cases, or of several.
    pub(crate) fn read(file: &Path, cases: &[&str]) -> Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("could not read {}", file.display()))?;
        let written: Written =
            serde_saphyr::from_str(&text).with_context(|| file.display().to_string())?;
        let mut all = Vec::new();
        for (extent, reasons) in [
            (Extent::Words, written.words),
            (Extent::Answer, written.answers),
            (Extent::Open, written.open),
        ] {
            all.extend(reasons.into_iter().map(|(name, reason)| (name, extent, reason)));
        }
        for (name, _, reason) in &all {
            ensure!(!reason.trim().is_empty(), "the difference in {name} has no reason");
            if !cases.iter().any(|case| stands_for(name, case)) {
                bail!("{} names no case: {name}", file.display());
            }
        }
        Ok(Self(all))
    }

    /// In what a case may differ, and why.
    pub(crate) fn of(&self, case: &str) -> Option<(Extent, &str)> {
        let found = self.0.iter().find(|(name, _, _)| stands_for(name, case));
        found.map(|(_, extent, reason)| (*extent, reason.as_str()))
    }
}

fn stands_for(name: &str, case: &str) -> bool {
    name.strip_suffix('*').map_or(name == case, |beginning| case.starts_with(beginning))
}
