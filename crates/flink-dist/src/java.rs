use std::{
    fs,
    path::{Path, PathBuf},
};

use flumen_model::FlinkMinor;

use crate::Error;

/// A Java of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Java {
    /// Its home, without symbolic links.
    pub home: PathBuf,
    /// Its feature version, for example 17.
    pub version: u32,
}

/// Where Debian installs them. Pods of the local cluster see nothing of the machine outside of `/usr`.
const HOMES: &str = "/usr/lib/jvm";

/// The Java versions that a Flink minor runs on, best first.
fn supported(minor: FlinkMinor) -> &'static [u32] {
    if minor < FlinkMinor::new(1, 13) {
        &[11, 8]
    } else if minor < FlinkMinor::new(2, 0) {
        &[17, 11, 8]
    } else {
        &[17, 21, 11]
    }
}

/// The Java of this machine that Flink `minor` runs best on.
///
/// # Errors
/// `Invalid` if there is none, with what was found and what to install.
pub fn find_java(minor: FlinkMinor) -> Result<Java, Error> {
    best_of(&javas_in(Path::new(HOMES)), minor)
}

fn best_of(found: &[Java], minor: FlinkMinor) -> Result<Java, Error> {
    let supported = supported(minor);
    let rank = |java: &&Java| supported.iter().position(|version| *version == java.version);
    let best = found.iter().filter(|java| rank(java).is_some()).min_by_key(rank);
    best.cloned().ok_or_else(|| {
        let list = |versions: Vec<String>| versions.join(" or ");
        let homes: Vec<String> = found
            .iter()
            .map(|java| format!("Java {} in {}", java.version, java.home.display()))
            .collect();
        Error::FindJava {
            minor,
            wanted: list(supported.iter().map(u32::to_string).collect()),
            found: if homes.is_empty() { "none".to_owned() } else { homes.join(", ") },
            package: supported[0],
        }
    })
}

/// Every Java of a directory of homes, each once.
fn javas_in(directory: &Path) -> Vec<Java> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut homes: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    homes.sort();
    let mut found: Vec<Java> = Vec::new();
    for java in homes.iter().filter_map(|home| look_at(home)) {
        if !found.contains(&java) {
            found.push(java);
        }
    }
    found
}

/// The Java in `home`, by what its `release` file says.
fn look_at(home: &Path) -> Option<Java> {
    let home = fs::canonicalize(home).ok()?;
    if !home.join("bin/java").is_file() {
        return None;
    }
    // The runtime part of an old Java 8 has the file one directory up.
    let release = [home.join("release"), home.parent()?.join("release")];
    let text = release.iter().find_map(|file| fs::read_to_string(file).ok())?;
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("JAVA_VERSION="))
        .and_then(feature_version)?;
    Some(Java { home, version })
}

/// 17 of `"17.0.15"`, 8 of `"1.8.0_412"`.
fn feature_version(text: &str) -> Option<u32> {
    let text = text.trim().trim_matches('"');
    let mut parts = text.split(['.', '_', '+', '-']).map(|part| part.parse::<u32>().ok());
    match parts.next()?? {
        1 => parts.next()?,
        version => Some(version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(javas: &[(&str, &str)]) -> (tempfile::TempDir, Vec<Java>) {
        let directory = tempfile::tempdir().unwrap();
        for (name, version) in javas {
            let home = directory.path().join(name);
            fs::create_dir_all(home.join("bin")).unwrap();
            fs::write(home.join("bin/java"), "").unwrap();
            fs::write(
                home.join("release"),
                format!("IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"{version}\"\n"),
            )
            .unwrap();
        }
        let found = javas_in(directory.path());
        (directory, found)
    }

    #[test]
    fn each_flink_gets_the_java_that_it_runs_on_best() {
        let (_keep, found) =
            machine(&[("a", "21.0.1"), ("b", "11.0.2"), ("c", "1.8.0_412"), ("d", "25")]);
        let version = |minor: &str| best_of(&found, minor.parse().unwrap()).unwrap().version;
        assert_eq!((version("1.11"), version("1.20"), version("2.3")), (11, 11, 21));
        let (_keep, found) = machine(&[("a", "21.0.1"), ("b", "17.0.15"), ("c", "11.0.2")]);
        let version = |minor: &str| best_of(&found, minor.parse().unwrap()).unwrap().version;
        assert_eq!((version("1.12"), version("1.20"), version("2.0")), (11, 17, 17));
    }

    #[test]
    fn a_home_with_two_names_is_one() {
        let (keep, _) = machine(&[("a", "17.0.1")]);
        std::os::unix::fs::symlink(keep.path().join("a"), keep.path().join("default")).unwrap();
        let home = keep.path().join("a").canonicalize().unwrap();
        assert_eq!(javas_in(keep.path()), [Java { home, version: 17 }]);
    }

    #[test]
    fn a_missing_java_is_an_error_that_says_what_to_install() {
        let (_keep, found) = machine(&[("a", "25.0.1")]);
        let error =
            best_of(&found, "1.20".parse().unwrap()).expect_err("25 is too new").to_string();
        assert!(
            error.contains("needs Java 17 or 11 or 8") && error.contains("Java 25 in "),
            "{error}"
        );
        assert!(error.contains("apt-get install openjdk-17-jre-headless"), "{error}");
        let error = best_of(&[], "2.0".parse().unwrap()).expect_err("nothing there").to_string();
        assert!(error.contains("where the pods of the local cluster see it, has none"), "{error}");
    }
}
