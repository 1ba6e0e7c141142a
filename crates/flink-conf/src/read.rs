//! Flink's two configuration files, read as Flink reads them.

mod legacy;
mod standard;

use flumen_model::FlinkMinor;

use crate::{Configuration, ConfigurationFormat, Error};

pub use legacy::SkippedLine;

/// A configuration file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedFile {
    /// What Flink would have read.
    pub configuration: Configuration,
    /// Lines that hold something which Flink does not read as a key and a value (`flink-conf.yaml`).
    pub skipped: Vec<SkippedLine>,
}

/// Reads the text of `flink-conf.yaml` or `config.yaml` as a Flink of this minor does.
///
/// # Errors
/// If `config.yaml` is no YAML, holds no mapping, or a value is empty or a key no text. The error has
/// the line and column and nothing of the content, which may be secret.
pub fn parse_configuration_file(
    text: &str,
    minor: FlinkMinor,
    format: ConfigurationFormat,
) -> Result<ParsedFile, Error> {
    match format {
        ConfigurationFormat::Legacy => Ok(legacy::parse(text, minor)),
        ConfigurationFormat::Standard => {
            let configuration =
                standard::parse(text.strip_prefix('\u{feff}').unwrap_or(text), minor)?;
            Ok(ParsedFile { configuration, skipped: Vec::new() })
        }
    }
}

/// What the YAML parser complains of, without anything out of the document.
pub(crate) fn without_content(error: &granit_parser::ScanError) -> String {
    let text = error.info();
    text.split(['\'', '"', '`']).next().unwrap_or_default().trim_end_matches([' ', ':']).to_owned()
}
