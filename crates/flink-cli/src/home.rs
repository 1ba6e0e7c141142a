//! Which Flink is meant: its version and the folder with its configuration.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use flumen_model::{FlinkMinor, FlinkVersion};

use crate::{Error, Surroundings};

/// The newest release of each minor whose client was looked at.
const RELEASES: [FlinkVersion; 14] = [
    release(1, 11, 4),
    release(1, 12, 5),
    release(1, 13, 6),
    release(1, 14, 6),
    release(1, 15, 4),
    release(1, 16, 3),
    release(1, 17, 2),
    release(1, 18, 1),
    release(1, 19, 3),
    release(1, 20, 5),
    release(2, 0, 2),
    release(2, 1, 3),
    release(2, 2, 1),
    release(2, 3, 0),
];

const fn release(major: u16, minor: u16, patch: u16) -> FlinkVersion {
    FlinkVersion::new(FlinkMinor::new(major, minor), patch)
}

/// The Flink that a command stands in for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) version: FlinkVersion,
    /// The folder with the configuration file, if there is one.
    pub(crate) configuration: Option<PathBuf>,
}

impl Home {
    pub(crate) fn find(surroundings: &Surroundings<'_>) -> Result<Self, Error> {
        let home = surroundings
            .set("FLINK_HOME")
            .map(|path| surroundings.path(&path))
            .or_else(|| around(surroundings.called_at.as_deref()));
        let version = match (surroundings.set("FLINK_VERSION"), &home) {
            (Some(text), _) => named(text, "FLINK_VERSION".to_owned())?,
            (None, Some(home)) => version_of(home)?,
            (None, None) => RELEASES[RELEASES.len() - 1],
        };
        let configuration = match surroundings.set("FLINK_CONF_DIR") {
            Some(path) => {
                let path = surroundings.path(&path);
                if !path.is_dir() {
                    return Err(Error::NoConfigurationFolder { path, minor: version.minor() });
                }
                Some(path)
            }
            None => home.map(|home| home.join("conf")).filter(|path| path.is_dir()),
        };
        Ok(Self { version, configuration })
    }
}

/// The distribution that a binary in `bin` belongs to.
fn around(called_at: Option<&Path>) -> Option<PathBuf> {
    let home = called_at?.parent()?.parent()?.to_owned();
    distribution(&home).is_ok_and(|found| found.is_some()).then_some(home)
}

/// The version of the distribution in this folder. Another version in its place would be a guess.
fn version_of(home: &Path) -> Result<FlinkVersion, Error> {
    let failed = |source| Error::NoDistribution { path: home.to_owned(), source };
    let (jar, text) =
        distribution(home).map_err(|source| failed(Some(source)))?.ok_or_else(|| failed(None))?;
    named(text, jar)
}

/// The name of the distribution's jar, and the version in it.
fn distribution(home: &Path) -> io::Result<Option<(String, String)>> {
    for entry in fs::read_dir(home.join("lib"))? {
        let found = entry?.file_name().into_string().ok().and_then(version_in);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn version_in(jar: String) -> Option<(String, String)> {
    let version = jar.strip_prefix("flink-dist")?.strip_suffix(".jar")?.rsplit('-').next()?;
    let version = version.to_owned();
    version.starts_with(|first: char| first.is_ascii_digit()).then_some((jar, version))
}

/// A version, or a minor, of which the newest release is meant.
fn named(text: String, origin: String) -> Result<FlinkVersion, Error> {
    let of_minor = |minor: FlinkMinor| RELEASES.iter().find(|known| known.minor() == minor);
    if let Some(known) = text.parse().ok().and_then(of_minor) {
        return Ok(*known);
    }
    text.trim().parse().map_err(|source| Error::Version { origin, text, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)], called_at: Option<PathBuf>) -> Result<Home, Error> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Home::find(&Surroundings {
            variable: &variable,
            directory: PathBuf::from("/"),
            called_at,
            input: &mut std::io::empty(),
            out: &mut Vec::new(),
            notes: &mut Vec::new(),
        })
    }

    fn distribution_in(directory: &Path, jar: &str) {
        for folder in ["lib", "conf", "bin"] {
            fs::create_dir_all(directory.join(folder)).expect("a folder");
        }
        fs::write(directory.join("lib").join(jar), "").expect("a jar");
    }

    #[test]
    fn a_named_version_counts_over_the_distribution_and_that_over_the_newest() {
        let directory = tempfile::tempdir().expect("a directory");
        distribution_in(directory.path(), "flink-dist_2.12-1.13.6.jar");
        let home = directory.path().to_str().expect("text");
        let version = |variables: &[(&str, &str)]| {
            find(variables, None).expect("a version").version.to_string()
        };
        assert_eq!(version(&[("FLINK_HOME", home), ("FLINK_VERSION", "1.17.2")]), "1.17.2");
        assert_eq!(version(&[("FLINK_HOME", home)]), "1.13.6");
        assert_eq!(version(&[("FLINK_VERSION", "1.20")]), "1.20.5");
        assert_eq!(version(&[]), "2.3.0");
        let error = find(&[("FLINK_VERSION", "1.9.0")], None).expect_err("too old");
        assert!(error.to_string().contains("FLINK_VERSION"), "{error}");
    }

    #[test]
    fn a_home_that_is_no_distribution_is_refused_unless_the_version_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let home = directory.path().to_str().expect("text");
        let refused = || find(&[("FLINK_HOME", home)], None).expect_err("no distribution");
        let has_cause = |error: &Error| std::error::Error::source(error).is_some();
        let error = refused();
        assert!(has_cause(&error), "{error}: there is no lib");
        distribution_in(directory.path(), "flink-dist.jar");
        let error = refused();
        assert!(!has_cause(&error), "{error}");
        let text = error.to_string();
        for word in [home, "FLINK_HOME", "lib/flink-dist*.jar", "FLINK_VERSION"] {
            assert!(text.contains(word), "{text}");
        }
        let named = find(&[("FLINK_HOME", home), ("FLINK_VERSION", "1.17.2")], None);
        let configuration = directory.path().join("conf");
        let version = FlinkVersion::new(FlinkMinor::new(1, 17), 2);
        assert_eq!(named.expect("named"), Home { version, configuration: Some(configuration) });
        // Where a link in some `bin` is called, what lies beside it need not be a distribution.
        let called = find(&[], Some(directory.path().join("bin/flink"))).expect("the newest");
        assert_eq!((called.version.to_string().as_str(), called.configuration), ("2.3.0", None));
    }

    #[test]
    fn the_configuration_is_where_the_variable_says_or_in_the_distribution() {
        let directory = tempfile::tempdir().expect("a directory");
        distribution_in(directory.path(), "flink-dist-1.20.5.jar");
        let conf = Some(directory.path().join("conf"));
        let called = find(&[], Some(directory.path().join("bin/flink"))).expect("found");
        assert_eq!((called.version.to_string().as_str(), called.configuration), ("1.20.5", conf));
        let missing = find(&[("FLINK_CONF_DIR", "/no/such/folder")], None);
        assert!(matches!(missing, Err(Error::NoConfigurationFolder { .. })));
        assert_eq!(find(&[], None).expect("defaults").configuration, None);
    }
}
