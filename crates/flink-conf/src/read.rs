//! Flink's two configuration files, read as Flink reads them.

/// What the YAML parser complains of, without anything out of the document.
pub(crate) fn without_content(error: &granit_parser::ScanError) -> String {
    let text = error.info();
    text.split(['\'', '"', '`']).next().unwrap_or_default().trim_end_matches([' ', ':']).to_owned()
}
