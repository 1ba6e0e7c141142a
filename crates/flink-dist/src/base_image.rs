//! What the base image of a distribution holds, as data.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use flumen_model::PYTHON_LABEL;

use crate::{
    Distribution, Error, Java, PyFlink,
    host_directories::{HOST_DIRECTORIES_LABEL, host_directories},
};

/// A base image: layers, lowest first, and how to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseImage {
    /// The first layer holds Flink's jars, which rarely change, the last the scripts, the entry point and the rest;
    /// between them lies `PyFlink`, if it was added.
    pub layers: Vec<Vec<ImageFile>>,
    /// How to run it.
    pub configuration: Configuration,
}

/// One thing in a layer. Everything belongs to root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    /// Where it stands in the image, absolute.
    pub path: String,
    /// What it is.
    pub content: Content,
    /// Permission bits.
    pub mode: u32,
}

/// What an [`ImageFile`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A copy of a file of this machine.
    File(PathBuf),
    /// A file with this text.
    Text(&'static str),
    /// An empty directory.
    Directory,
}

/// How the image is run, in the terms of the image specification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// The program that is always run.
    pub entrypoint: Vec<String>,
    /// Its arguments unless others are given.
    pub command: Vec<String>,
    /// The directory it starts in.
    pub working_directory: String,
    /// Labels, [`HOST_DIRECTORIES_LABEL`] among them.
    pub labels: BTreeMap<String, String>,
    /// Ports that it listens on.
    pub exposed_ports: Vec<String>,
}

/// Where the packages of Python lie in a base image.
pub const PYTHON_PACKAGES: &str = "/opt/python/packages";

const HOME: &str = "/opt/flink";
const ENTRY_POINT: &str = "/docker-entrypoint.sh";
const SEARCH_PATH: &str =
    "/opt/flink/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The machine's own users and name services are none of the container's business. 9999 is the user of Flink's official images.
const USERS: &str = "root:x:0:0:root:/root:/bin/bash\n\
    flink:x:9999:9999:Flink:/opt/flink:/bin/bash\n\
    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUPS: &str = "root:x:0:\nflink:x:9999:\nnogroup:x:65534:\n";
const NAME_SERVICES: &str =
    "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n";

impl BaseImage {
    /// The base image of `distribution`, run by `java` of this machine.
    ///
    /// # Errors
    /// `NotFound` or `Unavailable` if the distribution cannot be read.
    pub fn of(distribution: &Distribution, java: &Java) -> Result<Self, Error> {
        let mut jars = Vec::new();
        let mut others = vec![
            text(ENTRY_POINT, include_str!("docker-entrypoint.sh"), 0o755),
            text("/etc/passwd", USERS, 0o644),
            text("/etc/group", GROUPS, 0o644),
            text("/etc/nsswitch.conf", NAME_SERVICES, 0o644),
            directory("/tmp", 0o1777),
            directory("/root", 0o700),
            // Also for a user that a pod template chooses.
            directory("/opt/flink/log", 0o777),
        ];
        for (name, path) in files(distribution.home())? {
            // What an earlier run of this very home wrote.
            if name.starts_with("log/") {
                continue;
            }
            let has_extension =
                |wanted: &str| path.extension().is_some_and(|found| found == wanted);
            let is_program = name.starts_with("bin/") || has_extension("sh");
            let mode = if is_program { 0o755 } else { 0o644 };
            let is_jar = !name.starts_with("bin/") && has_extension("jar");
            let list = if is_jar { &mut jars } else { &mut others };
            list.push(ImageFile {
                path: format!("{HOME}/{name}"),
                content: Content::File(path),
                mode,
            });
        }
        Ok(Self { layers: vec![jars, others], configuration: configuration(distribution, java) })
    }

    /// The base image with `PyFlink`, in a layer of its own above the jars.
    ///
    /// # Errors
    /// `NotFound` or `Unavailable` if the packages cannot be read.
    pub fn with_pyflink(mut self, pyflink: &PyFlink) -> Result<Self, Error> {
        let mut packages = Vec::new();
        for (name, path) in files(pyflink.directory())? {
            // Jars are those of the distribution, wherever PyFlink was installed with some of its own.
            let is_jar = path.extension().is_some_and(|found| found == "jar");
            if is_jar && name.starts_with("pyflink/") {
                continue;
            }
            let read_error = |source| Error::Read { path: path.clone(), source };
            let mode = fs::metadata(&path).map_err(read_error)?.permissions().mode();
            let mode = if mode & 0o111 == 0 { 0o644 } else { 0o755 };
            let (path, content) = (format!("{PYTHON_PACKAGES}/{name}"), Content::File(path));
            packages.push(ImageFile { path, content, mode });
        }
        self.layers.insert(1, packages);
        let place = ("PYTHONPATH".to_owned(), PYTHON_PACKAGES.to_owned());
        self.configuration.environment.extend([place]);
        let python = pyflink.python().label();
        self.configuration.labels.insert(PYTHON_LABEL.to_owned(), python);
        Ok(self)
    }
}

fn configuration(distribution: &Distribution, java: &Java) -> Configuration {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let map = |list: &[(&str, &str)]| {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let (java_home, version) =
        (java.home.display().to_string(), distribution.version().to_string());
    Configuration {
        environment: map(&[
            ("FLINK_HOME", HOME),
            ("JAVA_HOME", &java_home),
            // Java before 18 takes the encoding of files from it.
            ("LANG", "C.UTF-8"),
            ("PATH", SEARCH_PATH),
        ]),
        entrypoint: texts(&[ENTRY_POINT]),
        command: texts(&["help"]),
        working_directory: HOME.to_owned(),
        labels: map(&[
            (HOST_DIRECTORIES_LABEL, &host_directories(&java.home).join(",")),
            ("org.opencontainers.image.title", "flink"),
            ("org.opencontainers.image.version", &version),
        ]),
        exposed_ports: texts(&["6123/tcp", "8081/tcp"]),
    }
}

fn text(path: &str, text: &'static str, mode: u32) -> ImageFile {
    ImageFile { path: path.to_owned(), content: Content::Text(text), mode }
}

fn directory(path: &str, mode: u32) -> ImageFile {
    ImageFile { path: path.to_owned(), content: Content::Directory, mode }
}

/// Every file below `home` with its path from there, in order.
fn files(home: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let mut found = Vec::new();
    let mut to_visit = vec![(String::new(), home.to_owned())];
    while let Some((prefix, directory)) = to_visit.pop() {
        let read_error = |source| Error::Read { path: directory.clone(), source };
        for entry in fs::read_dir(&directory).map_err(read_error)? {
            let entry = entry.map_err(read_error)?;
            // Names that are not UTF-8 are no part of Flink.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let (name, path) = (format!("{prefix}{name}"), entry.path());
            // Links are followed: an image has to stand on its own.
            let metadata = fs::metadata(&path).map_err(read_error)?;
            if metadata.is_dir() {
                to_visit.push((format!("{name}/"), path));
            } else if metadata.is_file() {
                found.push((name, path));
            }
        }
    }
    found.sort();
    Ok(found)
}
