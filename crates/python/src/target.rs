//! The Python that wheels are for.

use flumen_model::ImagePython;
use pep440_rs::Version;
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use crate::{Error, tags::Tags};

/// What an image's Python can run, and what markers say of it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) markers: MarkerEnvironment,
    pub(crate) version: Version,
    pub(crate) tags: Tags,
    described: String,
}

impl Target {
    pub(crate) fn new(python: &ImagePython) -> Result<Self, Error> {
        let refuse = |problem: String| Error::UseTarget { problem };
        let version: Version = python
            .version
            .parse()
            .map_err(|_| refuse(format!("{:?} is no version of Python", python.version)))?;
        let (Some(major), Some(minor)) =
            (version.release().first().copied(), version.release().get(1).copied())
        else {
            return Err(refuse(format!("{:?} has no minor version", python.version)));
        };
        if major != 3 {
            return Err(refuse(format!("it is Python {}", python.version)));
        }
        let glibc = numbers(&python.glibc).ok_or_else(|| {
            refuse(format!("{:?} is no version of the GNU C library", python.glibc))
        })?;
        let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &python.version,
            os_name: "posix",
            platform_machine: &python.machine,
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "Linux",
            platform_version: "",
            python_full_version: &python.version,
            python_version: &format!("{major}.{minor}"),
            sys_platform: "linux",
        })
        .map_err(|error| refuse(error.to_string()))?;
        let described =
            format!("Python {} on {} with glibc {}", python.version, python.machine, python.glibc);
        Ok(Self { markers, version, tags: Tags::new(minor, &python.machine, glibc), described })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.described)
    }
}

/// `(2, 36)` of `2.36`.
fn numbers(text: &str) -> Option<(u64, u64)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
pub(crate) fn python_311() -> ImagePython {
    ImagePython {
        version: "3.11.2".to_owned(),
        machine: "x86_64".to_owned(),
        glibc: "2.36".to_owned(),
        packages: std::collections::BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use pep508_rs::Requirement;

    use super::*;

    #[test]
    fn markers_are_those_of_the_image() {
        let target = Target::new(&python_311()).expect("a target");
        let holds = |marker: &str| {
            let requirement: Requirement =
                Requirement::from_str(&format!("a; {marker}")).expect("valid");
            requirement.evaluate_markers(&target.markers, &[])
        };
        for (marker, expected) in [
            ("python_version >= '3.8'", true),
            ("python_version < '3.10'", false),
            ("python_full_version == '3.11.2'", true),
            ("sys_platform == 'win32'", false),
            ("platform_system != 'Windows' and platform_machine == 'x86_64'", true),
            ("implementation_name == 'pypy' or os_name == 'posix'", true),
            ("extra == 'test'", false),
        ] {
            assert_eq!(holds(marker), expected, "{marker}");
        }
    }

    #[test]
    fn a_python_that_no_wheel_is_for_is_named() {
        let of = |change: fn(&mut ImagePython)| {
            let mut python = python_311();
            change(&mut python);
            Target::new(&python).expect_err("refused").to_string()
        };
        assert!(of(|it| it.version = "2.7.18".into()).contains("Python 2.7.18"));
        assert!(of(|it| it.version = "x".into()).contains("no version of Python"));
        assert!(of(|it| it.glibc = "musl".into()).contains("GNU C library"));
    }
}
