use std::{
    fs,
    path::{Path, PathBuf},
};

use flumen_model::FlinkVersion;

use crate::Error;

/// A Flink home that was looked at and found complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    home: PathBuf,
    version: FlinkVersion,
}

/// What stands in front of the version in the name of the main jar.
const MAIN_JAR: &str = "flink-dist";

impl Distribution {
    /// Checks that `home` holds Flink `version` with what a cluster on Kubernetes needs.
    ///
    /// # Errors
    /// `Invalid` with what is missing, `NotFound` or `Unavailable` if the directory cannot be read.
    pub fn open(home: &Path, version: FlinkVersion) -> Result<Self, Error> {
        let refuse =
            |problem: String| Error::OpenDistribution { path: home.to_owned(), version, problem };
        let read_error = |source| Error::Read { path: home.to_owned(), source };
        // A relative path would mean something else to whoever uses it later.
        let home = fs::canonicalize(home).map_err(read_error)?;
        for directory in ["bin", "conf", "lib"] {
            if !home.join(directory).is_dir() {
                return Err(refuse(format!("it has no directory {directory}")));
            }
        }
        match main_jars(&home.join("lib"))?.as_slice() {
            [found] if *found == version.to_string() => {}
            [found] => return Err(refuse(format!("its lib/{MAIN_JAR} jar is of version {found}"))),
            [] => return Err(refuse(format!("it has no lib/{MAIN_JAR}-{version}.jar"))),
            several => {
                let several = several.join(" and ");
                return Err(refuse(format!("it has {MAIN_JAR} jars of versions {several} in lib")));
            }
        }
        if !home.join("bin/flink").is_file() {
            return Err(refuse("it has no bin/flink".to_owned()));
        }
        if !["conf/config.yaml", "conf/flink-conf.yaml"]
            .iter()
            .any(|file| home.join(file).is_file())
        {
            return Err(refuse(
                "it has neither conf/config.yaml nor conf/flink-conf.yaml".to_owned(),
            ));
        }
        Ok(Self { home, version })
    }

    /// The Flink home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The binary version of the Scala library in `lib`, such as `2.12`, if there is one: up to 1.14 in the main jar,
    /// then in a jar of its own, which may be taken out.
    ///
    /// # Errors
    /// `NotFound` or `Unavailable` if the directory cannot be read.
    pub fn scala(&self) -> Result<Option<String>, Error> {
        let lib = self.home.join("lib");
        let read_error = |source| Error::Read { path: lib.clone(), source };
        for entry in fs::read_dir(&lib).map_err(read_error)? {
            let name = entry.map_err(read_error)?.file_name();
            if let Some(scala) = name.to_str().and_then(scala_of_jar) {
                return Ok(Some(scala.to_owned()));
            }
        }
        Ok(None)
    }

    /// The jars in `lib`, sorted.
    ///
    /// # Errors
    /// `NotFound` or `Unavailable` if the directory cannot be read.
    pub fn lib_jars(&self) -> Result<Vec<PathBuf>, Error> {
        let lib = self.home.join("lib");
        let read_error = |source| Error::Read { path: lib.clone(), source };
        let mut jars = Vec::new();
        for entry in fs::read_dir(&lib).map_err(read_error)? {
            let path = entry.map_err(read_error)?.path();
            if path.extension().is_some_and(|extension| extension == "jar") {
                jars.push(path);
            }
        }
        jars.sort();
        Ok(jars)
    }

    /// The jars in `opt` that the entry point can make plugins, sorted; none if there is no such folder.
    ///
    /// # Errors
    /// `Unavailable` if the directory cannot be read.
    pub fn built_in_plugins(&self) -> Result<Vec<String>, Error> {
        let folder = self.home.join("opt");
        let read_error = |source| Error::Read { path: folder.clone(), source };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(read_error(error)),
        };
        let mut jars = Vec::new();
        for entry in entries {
            let name = entry.map_err(read_error)?.file_name();
            jars.extend(name.to_str().filter(|name| is_file_system(name)).map(str::to_owned));
        }
        jars.sort();
        Ok(jars)
    }

    /// Its version.
    pub const fn version(&self) -> FlinkVersion {
        self.version
    }
}

fn main_jars(lib: &Path) -> Result<Vec<String>, Error> {
    let read_error = |source| Error::Read { path: lib.to_owned(), source };
    let mut versions = Vec::new();
    for entry in fs::read_dir(lib).map_err(read_error)? {
        let name = entry.map_err(read_error)?.file_name();
        versions.extend(name.to_str().and_then(version_of_main_jar).map(str::to_owned));
    }
    versions.sort();
    Ok(versions)
}

/// Whether this is the jar of a file system, such as `flink-s3-fs-presto-1.20.5.jar`.
fn is_file_system(name: &str) -> bool {
    let is_jar = Path::new(name).extension().is_some_and(|extension| extension == "jar");
    is_jar && name.starts_with("flink-") && name.contains("-fs-")
}

/// `2.12` of `flink-dist_2.12-1.14.6.jar` or `flink-scala_2.12-1.20.5.jar`.
fn scala_of_jar(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(MAIN_JAR).or(name.strip_prefix("flink-scala"))?;
    rest.strip_prefix('_')?.strip_suffix(".jar")?.split('-').next()
}

/// `1.20.5` of `flink-dist-1.20.5.jar`, and up to 1.14 of `flink-dist_2.12-1.14.6.jar`.
fn version_of_main_jar(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(MAIN_JAR)?.strip_suffix(".jar")?;
    let (scala, version) = rest.split_once('-')?;
    let is_main = scala.is_empty() || scala.starts_with('_');
    (is_main && version.starts_with(|c: char| c.is_ascii_digit())).then_some(version)
}
