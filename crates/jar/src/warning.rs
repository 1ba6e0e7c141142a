use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

/// Something doubtful about a jar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The main class of the manifest is not there.
    NoMainClass {
        /// The class.
        class: String,
    },
    /// The main class of the manifest has no main method.
    NoMainMethod {
        /// The class.
        class: String,
    },
    /// It holds what every Flink image has.
    BundledFlink {
        /// The artifacts.
        artifacts: Vec<&'static str>,
    },
    /// It was put together from several Flink minors.
    SeveralFlinkMinors {
        /// The minors.
        minors: Vec<String>,
    },
    /// Entries are there more than once.
    Duplicates {
        /// Their names.
        names: Vec<String>,
    },
    /// Names of entries lead out of the directory that the jar would be unpacked to.
    UnsafeNames {
        /// The names.
        names: Vec<String>,
    },
    /// Entries that cannot be read as what their name says.
    Unreadable {
        /// The names.
        names: Vec<String>,
    },
    /// A service file lists a class that is not there.
    NoProvider {
        /// The service.
        service: String,
        /// The class.
        class: String,
    },
}

impl Warning {
    /// A stable name, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoMainClass { .. } => "noMainClass",
            Self::NoMainMethod { .. } => "noMainMethod",
            Self::BundledFlink { .. } => "bundledFlink",
            Self::SeveralFlinkMinors { .. } => "severalFlinkMinors",
            Self::Duplicates { .. } => "duplicates",
            Self::UnsafeNames { .. } => "unsafeNames",
            Self::Unreadable { .. } => "unreadable",
            Self::NoProvider { .. } => "noProvider",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMainClass { class } => {
                write!(out, "the manifest names the main class {class}, which is not in the jar")
            }
            Self::NoMainMethod { class } => write!(
                out,
                "the manifest names the main class {class}, which has no public static void main(String[])"
            ),
            Self::BundledFlink { artifacts } => write!(
                out,
                "it holds classes of {}, which every Flink image has: give the dependency the scope provided",
                artifacts.join(", ")
            ),
            Self::SeveralFlinkMinors { minors } => {
                write!(out, "it is put together from artifacts for Flink {}", minors.join(" and "))
            }
            Self::Duplicates { names } => {
                write!(
                    out,
                    "entries are there more than once, and the last counts: {}",
                    some(names)
                )
            }
            Self::UnsafeNames { names } => {
                write!(out, "names of entries lead out of the jar: {}", some(names))
            }
            Self::Unreadable { names } => {
                write!(out, "entries could not be read: {}", some(names))
            }
            Self::NoProvider { service, class } => {
                write!(out, "META-INF/services/{service} lists {class}, which is not in the jar")
            }
        }
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut warning = serializer.serialize_struct("Warning", 2)?;
        warning.serialize_field("code", self.code())?;
        warning.serialize_field("message", &self.to_string())?;
        warning.end()
    }
}

/// A few of the names, and how many more there are.
fn some(names: &[String]) -> String {
    const MOST: usize = 5;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("{name:?}")).collect();
    match names.len().checked_sub(MOST + 1) {
        None => shown.join(", "),
        Some(more) => format!("{} and {} more", shown.join(", "), more + 1),
    }
}
