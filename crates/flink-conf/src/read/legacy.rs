use flumen_model::FlinkMinor;

use super::ParsedFile;
use crate::{Configuration, ConfigurationFormat, java};

/// A line that Flink passes over with a warning. Its content is not kept: it may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedLine {
    /// The number of the line, from 1.
    pub line: usize,
    /// What it lacks, as the end of a sentence about the line.
    pub why: &'static str,
}

pub(super) fn parse(text: &str, minor: FlinkMinor) -> ParsedFile {
    let mut configuration = Configuration::with_format(minor, ConfigurationFormat::Legacy);
    let mut skipped = Vec::new();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for (number, line) in text.lines().enumerate() {
        // Flink cuts at the first hash wherever it stands, also in quotes and addresses.
        let line = java::trim(line.split('#').next().unwrap_or_default());
        if line.is_empty() {
            continue;
        }
        match pair(line) {
            Ok((key, value)) => configuration.set_text(key, value),
            Err(why) => skipped.push(SkippedLine { line: number + 1, why }),
        }
    }
    ParsedFile { configuration, skipped }
}

fn pair(line: &str) -> Result<(&str, &str), &'static str> {
    let (key, value) = line.split_once(": ").ok_or("it has no ': ' between a key and a value")?;
    let (key, value) = (java::trim(key), java::trim(value));
    if key.is_empty() || value.is_empty() {
        return Err("its key or value is empty");
    }
    Ok((key, value))
}
