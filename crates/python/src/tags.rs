//! Which wheels a Python can take, as PEP 425 and PEP 600 have it.

use std::collections::HashMap;

use pep440_rs::Version;
use pep508_rs::PackageName;

/// The first glibc of which wheels say that they need no newer one.
const OLDEST_GLIBC: u64 = 5;
const OLDEST_GLIBC_ELSEWHERE: u64 = 17;
/// The older names of some.
const OLD_NAMES: [(u64, &str); 3] =
    [(17, "manylinux2014"), (12, "manylinux2010"), (5, "manylinux1")];

/// Tags, each with its place: the first fits best.
#[derive(Debug)]
pub(crate) struct Tags {
    places: HashMap<String, usize>,
}

impl Tags {
    /// Those of `CPython` 3.`minor` on Linux with this machine and this glibc.
    pub(crate) fn new(minor: u64, machine: &str, glibc: (u64, u64)) -> Self {
        let platforms = platforms(machine, glibc);
        let mut ordered = Vec::new();
        let mut add = |python: &str, abi: &str, platform: &str| {
            ordered.push(format!("{python}-{abi}-{platform}"));
        };
        let mut on_platforms = |python: &str, abi: &str| {
            for platform in &platforms {
                add(python, abi, platform);
            }
        };
        let exact = format!("cp3{minor}");
        on_platforms(&exact, &exact);
        if minor < 8 {
            on_platforms(&exact, &format!("cp3{minor}m"));
        }
        on_platforms(&exact, "abi3");
        on_platforms(&exact, "none");
        for older in (2..minor).rev() {
            on_platforms(&format!("cp3{older}"), "abi3");
        }
        let generic: Vec<String> = std::iter::once(format!("py3{minor}"))
            .chain(std::iter::once("py3".to_owned()))
            .chain((0..minor).rev().map(|older| format!("py3{older}")))
            .collect();
        for python in &generic {
            on_platforms(python, "none");
        }
        add(&exact, "none", "any");
        for python in &generic {
            add(python, "none", "any");
        }
        let places = ordered.into_iter().enumerate().map(|(place, tag)| (tag, place)).collect();
        Self { places }
    }

    /// How well a wheel fits, less being better; none if it does not.
    pub(crate) fn place(&self, wheel: &WheelName) -> Option<usize> {
        wheel.tags().filter_map(|tag| self.places.get(&tag).copied()).min()
    }
}

fn platforms(machine: &str, (major, minor): (u64, u64)) -> Vec<String> {
    let mut platforms = Vec::new();
    let oldest =
        if matches!(machine, "x86_64" | "i686") { OLDEST_GLIBC } else { OLDEST_GLIBC_ELSEWHERE };
    if major == 2 {
        for version in (oldest..=minor).rev() {
            platforms.push(format!("manylinux_2_{version}_{machine}"));
            let old = OLD_NAMES.iter().find(|(glibc, _)| *glibc == version);
            platforms.extend(old.map(|(_, name)| format!("{name}_{machine}")));
        }
    }
    platforms.push(format!("linux_{machine}"));
    platforms
}

/// The package of a wheel and its version, by the wheel's name; none if that is no name of one.
pub fn wheel_package(name: &str) -> Option<(String, String)> {
    let WheelName { project, version, .. } = WheelName::parse(name)?;
    Some((project.to_string(), version.to_string()))
}

/// What the name of a wheel says: `name-version[-build]-python-abi-platform.whl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WheelName {
    pub(crate) project: PackageName,
    pub(crate) version: Version,
    /// Of two that are equal otherwise, the larger is taken.
    pub(crate) build: (u64, String),
    pythons: String,
    abis: String,
    platforms: String,
}

impl WheelName {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.strip_suffix(".whl")?.split('-').collect();
        let (project, version, build, rest) = match parts.as_slice() {
            [project, version, build, rest @ ..] if rest.len() == 3 => {
                (project, version, *build, rest)
            }
            [project, version, rest @ ..] if rest.len() == 3 => (project, version, "", rest),
            _ => return None,
        };
        let digits = build.len() - build.trim_start_matches(|one: char| one.is_ascii_digit()).len();
        let number = build[..digits].parse().unwrap_or_default();
        Some(Self {
            project: PackageName::new((*project).to_owned())
                .ok()
                .filter(|it| !AsRef::<str>::as_ref(it).is_empty())?,
            version: version.parse().ok()?,
            build: (number, build[digits..].to_owned()),
            pythons: rest[0].to_owned(),
            abis: rest[1].to_owned(),
            platforms: rest[2].to_owned(),
        })
    }

    /// Every tag that the name stands for.
    fn tags(&self) -> impl Iterator<Item = String> {
        self.pythons.split('.').flat_map(move |python| {
            self.abis.split('.').flat_map(move |abi| {
                self.platforms.split('.').map(move |platform| format!("{python}-{abi}-{platform}"))
            })
        })
    }

    /// The tags as the name has them.
    pub(crate) fn shown_tags(&self) -> String {
        format!("{}-{}-{}", self.pythons, self.abis, self.platforms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(names: &[&'a str], machine: &str, glibc: u64) -> Option<&'a str> {
        let tags = Tags::new(11, machine, (2, glibc));
        let fits = names.iter().filter_map(|name| {
            Some((tags.place(&WheelName::parse(name).expect("a wheel"))?, *name))
        });
        fits.min().map(|(_, name)| name)
    }

    #[test]
    fn the_wheel_that_fits_best_is_taken() {
        let names = [
            "a-1-py3-none-any.whl",
            "a-1-cp38-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "a-1-cp311-cp311-manylinux_2_28_x86_64.whl",
            "a-1-cp311-cp311-manylinux1_x86_64.whl",
            "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
            "a-1-cp311-cp311-win_amd64.whl",
            "a-1-cp311-cp311-musllinux_1_1_x86_64.whl",
        ];
        assert_eq!(best(&names, "x86_64", 36), Some(names[2]));
        assert_eq!(best(&names, "x86_64", 17), Some(names[3]), "glibc 2.28 is newer");
        assert_eq!(best(&names, "aarch64", 36), Some(names[0]));
        assert_eq!(best(&names[..2], "x86_64", 36), Some(names[1]));
        assert_eq!(best(&names[4..], "x86_64", 36), None);
        assert!(best(&["a-1-py2.py3-none-any.whl"], "x86_64", 36).is_some());
        assert_eq!(
            best(&["a-1-py2-none-any.whl", "a-1-cp313-abi3-linux_x86_64.whl"], "x86_64", 36),
            None
        );
    }

    #[test]
    fn names_of_wheels_are_taken_apart() {
        let name = WheelName::parse("Ruamel.yaml-0.18.4-2b-cp311-cp311-linux_x86_64.whl")
            .expect("a wheel");
        assert_eq!(name.project.as_ref(), "ruamel-yaml");
        assert_eq!(name.version.to_string(), "0.18.4");
        assert_eq!(name.build, (2, "b".to_owned()));
        for wrong in [
            "a-1.tar.gz",
            "a-1-py3-none.whl",
            "a-one-py3-none-any.whl",
            "-1-py3-none-any.whl",
            ".whl",
        ] {
            assert_eq!(WheelName::parse(wrong), None, "{wrong}");
        }
    }
}
