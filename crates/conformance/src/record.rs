//! What the real server answered, in the files in `records`.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::text::render;

/// The command that records again, which stands in every file.
const COMMAND: &str = "make conformance-record";

/// The answers of each case of an area, by the case's name without the area.
pub(crate) type Record = BTreeMap<String, Value>;

/// Reads what was recorded of an area; nothing if it was never recorded.
pub(crate) fn read(directory: &Path, area: &str) -> Result<Record> {
    let file = directory.join(format!("{area}.json"));
    if !file.exists() {
        return Ok(Record::new());
    }
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("could not read {}", file.display()))?;
    let value: Value = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    let cases = value["cases"].as_object().into_iter().flatten();
    Ok(cases.map(|(name, answers)| (name.clone(), answers.clone())).collect())
}

/// Writes what the real server answered to the cases of an area, in the order of the cases.
pub(crate) fn write(
    directory: &Path,
    area: &str,
    version: &str,
    cases: &[(&str, &Value)],
) -> Result<()> {
    let mut text = String::new();
    write!(text, "{{\n\"kubernetes\": {},\n\"recorded by\": \"{COMMAND}\",", Value::from(version))?;
    text.push_str("\n\"cases\": {");
    for (position, (name, answers)) in cases.iter().enumerate() {
        let separator = if position == 0 { "" } else { "," };
        write!(text, "{separator}\n\n{}:\n{}", Value::from(*name), render(answers))?;
    }
    text.push_str("\n\n}}\n");
    std::fs::create_dir_all(directory)
        .with_context(|| format!("could not make {}", directory.display()))?;
    let file = directory.join(format!("{area}.json"));
    std::fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))
}
