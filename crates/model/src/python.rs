use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

/// The label by which an image says which Python it has: an [`ImagePython`] as JSON.
pub const PYTHON_LABEL: &str = "flumen.dev/python";
/// Where packages lie that a base image got of its own. Packages of the image below it come after them.
pub const BASE_PACKAGES: &str = "/opt/python/base";

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
    /// The value of [`PYTHON_LABEL`].
    ///
    /// # Panics
    /// Never: names and versions are texts.
    pub fn label(&self) -> String {
        serde_json::to_string(self).expect("names and versions are texts")
    }

    /// The version of `PyFlink`, if it is there.
    pub fn pyflink(&self) -> Option<&str> {
        self.packages.get("apache-flink").map(String::as_str)
    }
}

/// Whether a file of this name is a wheel.
pub fn is_wheel(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "whl")
}
