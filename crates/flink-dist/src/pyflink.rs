//! PyFlink for a base image: packages that were installed into a directory, and the Python that runs them there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use flumen_model::{FlinkVersion, ImagePython};
use serde::Deserialize;

use crate::Error;

/// A directory of packages with `PyFlink` among them, and the Python of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PyFlink {
    directory: PathBuf,
    python: ImagePython,
}

/// Where the image of the local cluster finds its programs, which are those of this machine.
const PROGRAMS: [&str; 2] = ["/usr/local/bin/python3", "/usr/bin/python3"];
/// What Python is asked; nothing that was installed is loaded for it.
const QUESTION: &str = "import json, os, platform\n\
    print(json.dumps({'version': platform.python_version(), 'machine': platform.machine(),\
    'library': os.confstr('CS_GNU_LIBC_VERSION') or ''}))";
const PACKAGE: &str = "apache-flink";

#[derive(Deserialize)]
struct Answer {
    version: String,
    machine: String,
    library: String,
}

impl PyFlink {
    /// Looks at the packages in `directory`, which must have `PyFlink` of the version.
    ///
    /// # Errors
    /// `Invalid` with what is missing or does not fit; `NotFound` or `Unavailable` if the directory cannot be read.
    pub fn open(directory: &Path, version: FlinkVersion) -> Result<Self, Error> {
        let read_error = |source| Error::Read { path: directory.to_owned(), source };
        let directory = fs::canonicalize(directory).map_err(read_error)?;
        let refuse =
            |problem: String| Error::OpenPyFlink { path: directory.clone(), version, problem };
        let (packages, tags) = packages(&directory)?;
        match packages.get(PACKAGE) {
            Some(found) if *found == version.to_string() => {}
            Some(found) => return Err(refuse(format!("its {PACKAGE} is of version {found}"))),
            None => return Err(refuse(format!("it has no {PACKAGE}"))),
        }
        if !directory.join("pyflink/version.py").is_file() {
            return Err(refuse("it has no pyflink/version.py".to_owned()));
        }
        let program = PROGRAMS.iter().map(Path::new).find(|path| path.is_file());
        let program = program.ok_or_else(|| {
            refuse("this machine has no python3 in /usr, which pods of the local cluster would run; install it with `apt-get install python3`".to_owned())
        })?;
        let answer = ask(program).map_err(|why| refuse(format!("{}: {why}", program.display())))?;
        let glibc = answer.library.strip_prefix("glibc ").unwrap_or_default().to_owned();
        if glibc.is_empty() {
            return Err(refuse(format!("{} does not run on the GNU C library", program.display())));
        }
        let minor = answer.version.split('.').nth(1).unwrap_or_default();
        if !tags.is_empty() && !tags.iter().any(|tag| fits(tag, minor)) {
            let tag = &tags[0];
            return Err(refuse(format!(
                "its {PACKAGE} was installed for {tag}, and {} is Python {}; install it with {0} -m pip",
                program.display(),
                answer.version
            )));
        }
        let Answer { version, machine, .. } = answer;
        Ok(Self { directory, python: ImagePython { version, machine, glibc, packages } })
    }

    /// The directory of packages.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The Python that an image with these packages has.
    pub fn python(&self) -> &ImagePython {
        &self.python
    }
}

/// The packages with their versions, and the tags that Flink's was built for.
fn packages(directory: &Path) -> Result<(BTreeMap<String, String>, Vec<String>), Error> {
    let read_error = |source| Error::Read { path: directory.to_owned(), source };
    let (mut packages, mut tags) = (BTreeMap::new(), Vec::new());
    for entry in fs::read_dir(directory).map_err(read_error)? {
        let entry = entry.map_err(read_error)?;
        let name = entry.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".dist-info"));
        let Some((name, version)) = stem.and_then(|stem| stem.split_once('-')) else { continue };
        let name = normalized(name);
        if name == PACKAGE {
            // A package that was built here may say nothing.
            let text = fs::read_to_string(entry.path().join("WHEEL")).unwrap_or_default();
            let found = text.lines().filter_map(|line| line.strip_prefix("Tag:"));
            tags = found.map(|tag| tag.trim().to_owned()).collect();
        }
        packages.insert(name, version.to_owned());
    }
    Ok((packages, tags))
}

/// As PEP 503 has it: lower case, with one hyphen for any run of `-`, `_` and `.`.
fn normalized(name: &str) -> String {
    let parts: Vec<_> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_ascii_lowercase()
}

/// Whether a wheel with this tag runs on Python 3.`minor`.
fn fits(tag: &str, minor: &str) -> bool {
    let mut parts = tag.split('-');
    let (python, abi) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    python == format!("cp3{minor}") || abi == "none" || abi == "abi3"
}

fn ask(program: &Path) -> Result<Answer, String> {
    let output = Command::new(program).args(["-I", "-S", "-c", QUESTION]).output();
    let output = output.map_err(|error| format!("it does not run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("it fails: {}", said.lines().last().unwrap_or_default()));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("what it says is no answer: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(package: &str, tag: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let information = directory.path().join(format!("{package}.dist-info"));
        fs::create_dir_all(&information).unwrap();
        fs::create_dir_all(directory.path().join("pyflink")).unwrap();
        fs::create_dir_all(directory.path().join("Ruamel_yaml-0.18.4.dist-info")).unwrap();
        fs::write(directory.path().join("pyflink/version.py"), "").unwrap();
        fs::write(information.join("WHEEL"), format!("Wheel-Version: 1.0\n{tag}")).unwrap();
        directory
    }

    fn open(directory: &Path) -> Result<PyFlink, String> {
        PyFlink::open(directory, "1.20.5".parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn packages_are_known_by_their_names_and_versions() {
        let directory = installed("apache_flink-1.20.5", "");
        let found = open(directory.path()).unwrap();
        let python = found.python();
        assert_eq!(python.pyflink(), Some("1.20.5"));
        assert_eq!(python.packages["ruamel-yaml"], "0.18.4");
        assert!(python.version.starts_with("3.") && python.glibc.starts_with("2."), "{python:?}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let told = |package, tag| open(installed(package, tag).path()).unwrap_err();
        assert!(told("apache_flink-1.19.0", "").contains("its apache-flink is of version 1.19.0"));
        assert!(told("numpy-1.0", "").contains("it has no apache-flink"));
        assert!(
            told("apache_flink-1.20.5", "Tag: cp36-cp36m-linux_x86_64")
                .contains("installed for cp36")
        );
        let nowhere = Path::new("/nonexistent/packages");
        assert!(open(nowhere).unwrap_err().contains("could not read /nonexistent/packages"));
    }
}
