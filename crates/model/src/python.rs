use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

/// The Python of an image, as far as packages for it are chosen by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImagePython {
    /// Its version, such as `3.11.2`.
    pub version: String,
    /// The machine, as `uname -m` names it.
    pub machine: String,
    /// The version of the GNU C library, such as `2.36`.
    pub glibc: String,
    /// The packages that it has, by their normalized names, with their versions.
    pub packages: BTreeMap<String, String>,
}

impl ImagePython {
    /// The version of `PyFlink`, if it is there.
    pub fn pyflink(&self) -> Option<&str> {
        self.packages.get("apache-flink").map(String::as_str)
    }
}

/// Whether a file of this name is a wheel.
pub fn is_wheel(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "whl")
}
