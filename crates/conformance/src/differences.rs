//! The cases in which the local cluster means to answer otherwise, each with the reason.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};

/// Reads the reasons, by the names of cases. A name that ends with a star stands for all that begin so.
pub(crate) fn read(file: &Path) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("could not read {}", file.display()))?;
    let reasons: BTreeMap<String, String> =
        serde_saphyr::from_str(&text).with_context(|| file.display().to_string())?;
    for (name, reason) in &reasons {
        ensure!(!reason.trim().is_empty(), "the difference in {name} has no reason");
    }
    Ok(reasons)
}
