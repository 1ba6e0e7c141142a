//! `META-INF/services`.

use crate::Service;

const DIRECTORY: &str = "META-INF/services/";
/// Services that list table factories: since Flink 1.11, and before.
const OF_FACTORIES: [&str; 2] =
    ["org.apache.flink.table.factories.Factory", "org.apache.flink.table.factories.TableFactory"];

/// The service that an entry is the file of.
pub(crate) fn name_of(entry: &str) -> Option<&str> {
    entry.strip_prefix(DIRECTORY).filter(|name| !name.is_empty() && !name.contains('/'))
}

/// Reads a service file: one class a line, with comments.
pub(crate) fn parse(name: &str, text: &str) -> Service {
    let class = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let providers = text.lines().map(class).filter(|class| !class.is_empty()).collect();
    Service { name: name.to_owned(), providers }
}

pub(crate) fn lists_factories(service: &Service) -> bool {
    OF_FACTORIES.contains(&service.name.as_str())
}
