use std::{
    ffi::OsString,
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

/// Where to look for a Java.
#[derive(Debug, Clone)]
pub struct JavaSearch {
    /// What the user named, usually the environment's `JAVA_HOME`. Default: nothing.
    pub java_home: Option<PathBuf>,
    /// The search path for programs, usually the environment's `PATH`. Default: nothing.
    pub path: Option<OsString>,
    /// Directories of Java homes. Default: `/usr/lib/jvm`.
    pub directories: Vec<PathBuf>,
}

impl Default for JavaSearch {
    fn default() -> Self {
        Self { java_home: None, path: None, directories: vec!["/usr/lib/jvm".into()] }
    }
}

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

impl JavaSearch {
    /// The Java that Flink `minor` runs best on; what the user named wins among those that it runs on.
    ///
    /// # Errors
    /// `Invalid` if there is none, with what was found and what to install.
    pub fn find(&self, minor: FlinkMinor) -> Result<Java, Error> {
        let supported = supported(minor);
        let found = self.candidates();
        let rank = |java: &Java| supported.iter().position(|version| *version == java.version);
        let named = self.java_home.as_deref().and_then(look_at).filter(|java| rank(java).is_some());
        // The first of equals: programs in the search path come before other homes.
        let best = || {
            found.iter().filter(|java| rank(java).is_some()).min_by_key(|java| rank(java)).cloned()
        };
        named.or_else(best).ok_or_else(|| {
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

    /// Every Java that can be found, each once.
    fn candidates(&self) -> Vec<Java> {
        let programs = self
            .path
            .iter()
            .flat_map(std::env::split_paths)
            .map(|directory| directory.join("java"));
        let from_path = programs.filter_map(|program| {
            let program = fs::canonicalize(program).ok()?;
            // <home>/bin/java, in old Java 8 packages <home>/jre/bin/java.
            program.parent()?.parent().map(Path::to_owned)
        });
        let from_directories = self.directories.iter().flat_map(|directory| {
            let mut homes: Vec<PathBuf> = fs::read_dir(directory)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
                .collect();
            homes.sort();
            homes
        });
        let mut found: Vec<Java> = Vec::new();
        for java in self
            .java_home
            .iter()
            .cloned()
            .chain(from_path)
            .chain(from_directories)
            .filter_map(|home| look_at(&home))
        {
            if !found.contains(&java) {
                found.push(java);
            }
        }
        found
    }
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

    fn machine(javas: &[(&str, &str)]) -> (tempfile::TempDir, JavaSearch) {
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
        let search = JavaSearch {
            java_home: None,
            path: None,
            directories: vec![directory.path().to_owned()],
        };
        (directory, search)
    }

    #[test]
    fn each_flink_gets_the_java_that_it_runs_on_best() {
        let (_keep, search) =
            machine(&[("a", "21.0.1"), ("b", "11.0.2"), ("c", "1.8.0_412"), ("d", "25")]);
        let version = |minor: &str| search.find(minor.parse().unwrap()).unwrap().version;
        assert_eq!((version("1.11"), version("1.20"), version("2.3")), (11, 11, 21));
        let (_keep, search) = machine(&[("a", "21.0.1"), ("b", "17.0.15"), ("c", "11.0.2")]);
        let version = |minor: &str| search.find(minor.parse().unwrap()).unwrap().version;
        assert_eq!((version("1.12"), version("1.20"), version("2.0")), (11, 17, 17));
    }

    #[test]
    fn the_java_that_the_user_named_wins_if_flink_runs_on_it() {
        let (keep, mut search) = machine(&[("a", "17.0.1"), ("b", "11.0.2"), ("c", "25")]);
        search.java_home = Some(keep.path().join("b"));
        assert_eq!(search.find("2.3".parse().unwrap()).unwrap().version, 11);
        search.java_home = Some(keep.path().join("c"));
        assert_eq!(search.find("2.3".parse().unwrap()).unwrap().version, 17);
    }

    #[test]
    fn the_java_of_the_search_path_is_found_through_its_links() {
        let (keep, mut search) = machine(&[("a", "17.0.1")]);
        let bin = keep.path().join("path");
        fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(keep.path().join("a/bin/java"), bin.join("java")).unwrap();
        search.directories.clear();
        search.path = Some(bin.into_os_string());
        let found = search.find("1.20".parse().unwrap()).unwrap();
        assert_eq!(found.home, keep.path().join("a").canonicalize().unwrap());
    }

    #[test]
    fn a_missing_java_is_an_error_that_says_what_to_install() {
        let (_keep, search) = machine(&[("a", "25.0.1")]);
        let error = search.find("1.20".parse().unwrap()).expect_err("25 is too new").to_string();
        assert!(
            error.contains("needs Java 17 or 11 or 8") && error.contains("Java 25 in "),
            "{error}"
        );
        assert!(error.contains("apt-get install openjdk-17-jre-headless"), "{error}");
        let nowhere = JavaSearch { directories: Vec::new(), ..JavaSearch::default() };
        let error = nowhere.find("2.0".parse().unwrap()).expect_err("nothing there").to_string();
        assert!(error.contains("this machine has none"), "{error}");
    }
}
