//! Names that were checked when they were made, so that whatever is built from them is valid too.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// The first fault of `text` as a lower-case label of at most `max` characters that starts with a
/// letter (RFC 1035), which is what Kubernetes asks of the name of a Service.
fn label_fault(text: &str, max: usize) -> Option<String> {
    let allowed = format!(
        "use at most {max} lower-case letters, digits and '-', starting with a letter and not ending with '-'"
    );
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = text.len() <= max
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(inner);
    (!fits).then_some(allowed)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest name, in characters.
            pub const MAX: usize = $max;

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                match label_fault(&text, $max) {
                    Some(allowed) => Err(InvalidValue::new($what, text, allowed)),
                    None => Ok(Self(text)),
                }
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// The name of a job, unique in its environment.
    JobName, "job name", 63
}
name! {
    /// The name of an environment, unique in Flumen.
    EnvironmentName, "environment name", 63
}
name! {
    /// The name of a project, unique in Flumen.
    ProjectName, "project name", 63
}
name! {
    /// The name of a cluster, unique in Flumen.
    ClusterName, "cluster name", 63
}
name! {
    /// A Kubernetes namespace.
    Namespace, "namespace", 63
}
name! {
    /// Flink's `kubernetes.cluster-id`: the name of the Deployment and the prefix of everything that
    /// belongs to it. At most 45 characters, because Flink appends to it and Kubernetes ends at 63.
    ClusterId, "cluster id", 45
}

impl ClusterId {
    /// The cluster id of a job: the job's name where it fits, else its beginning and a hash of it.
    pub fn for_job(job: &JobName) -> Self {
        let name = job.as_str();
        if name.len() <= Self::MAX {
            return Self(name.to_owned());
        }
        // FNV-1a, 64 bits: stable over time and machines, which the standard hasher does not promise.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let head = name[..Self::MAX - 9].trim_end_matches('-');
        Self(format!("{head}-{:08x}", hash >> 32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_id_is_what_a_service_name_may_be_and_short() {
        for good in ["a", "word-count", "a1-b2", &"a".repeat(45)] {
            assert_eq!(good.parse::<ClusterId>().map(String::from), Ok(good.to_owned()));
        }
        for bad in ["", "1a", "-a", "a-", "A", "a_b", "a.b", "ä", &"a".repeat(46)] {
            let error = bad.parse::<ClusterId>().expect_err(bad);
            assert!(error.to_string().contains("at most 45"), "{error}");
        }
    }

    #[test]
    fn long_job_names_give_different_cluster_ids_that_fit() {
        let long =
            |end: &str| format!("{}{end}", "a-".repeat(25)).parse::<JobName>().expect("valid");
        let (one, two) = (ClusterId::for_job(&long("x")), ClusterId::for_job(&long("y")));
        assert_ne!(one, two);
        assert!(one.as_str().parse::<ClusterId>().is_ok(), "{one}");
    }

    #[test]
    fn a_name_that_is_not_valid_is_refused_when_read_from_json() {
        assert!(serde_json::from_str::<JobName>("\"Bad\"").is_err());
    }
}
