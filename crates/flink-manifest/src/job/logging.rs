//! The logging files of jobs that bring none. Without one in the `ConfigMap`, which covers Flink's
//! own configuration folder, a JobManager logs nothing at all.

use std::collections::BTreeMap;

use flumen_model::FlinkMinor;

use crate::feature::CONSOLE_LOGGING_FILES;

const PROPERTIES: &str = include_str!("../../data/log4j-console.properties");

/// The logging file that the pods get where the user has none, by name.
pub fn default_logging_files(minor: FlinkMinor) -> BTreeMap<String, String> {
    let name = if CONSOLE_LOGGING_FILES.is_in(minor) {
        "log4j-console.properties"
    } else {
        "log4j.properties"
    };
    BTreeMap::from([(name.to_owned(), PROPERTIES.to_owned())])
}
