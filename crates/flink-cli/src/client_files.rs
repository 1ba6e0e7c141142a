//! The files on this machine that Flink's client reads when it deploys.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use flumen_flink_conf::Configuration;
use flumen_flink_manifest::{ClientFiles, NamedFile, default_logging_files};

use crate::{Error, Surroundings, home::Home};

const LOGGING: [&str; 7] = [
    "log4j.properties",
    "log4j-cli.properties",
    "log4j-console.properties",
    "log4j-session.properties",
    "logback.xml",
    "logback-console.xml",
    "logback-session.xml",
];
const HADOOP: [&str; 2] = ["core-site.xml", "hdfs-site.xml"];
const TEMPLATES: [&str; 4] = [
    "kubernetes.pod-template-file",
    "kubernetes.pod-template-file.default",
    "kubernetes.pod-template-file.jobmanager",
    "kubernetes.pod-template-file.taskmanager",
];
const KEYTAB: &str = "security.kerberos.login.keytab";
const KRB5: &str = "security.kerberos.krb5-conf.path";

/// Reads what the configuration and the environment name. A file that is not there is left out; who
/// needs it says so.
pub(crate) fn read(
    home: &Home,
    configuration: &Configuration,
    surroundings: &Surroundings<'_>,
) -> Result<ClientFiles, Error> {
    let logging = match &home.configuration {
        Some(folder) => texts(folder, &LOGGING)?,
        None => default_logging_files(home.version.minor()),
    };
    let mut pod_templates = BTreeMap::new();
    for key in TEMPLATES {
        let Some(path) = text_of(configuration, key)? else { continue };
        if let Some(text) = text("the pod template", &surroundings.path(&path))? {
            pod_templates.insert(path, text);
        }
    }
    let hadoop = match hadoop_folder(surroundings) {
        Some(folder) => texts(&folder, &HADOOP)?,
        None => BTreeMap::new(),
    };
    let named = |key| match text_of(configuration, key)? {
        Some(path) => named_file(&surroundings.path(&path)),
        None => Ok(None),
    };
    Ok(ClientFiles { logging, pod_templates, hadoop, keytab: named(KEYTAB)?, krb5: named(KRB5)? })
}

fn text_of(configuration: &Configuration, key: &str) -> Result<Option<String>, Error> {
    Ok(configuration.string(key)?.filter(|text| !text.trim().is_empty()))
}

/// `HADOOP_CONF_DIR`, else one of the two folders in `HADOOP_HOME`.
fn hadoop_folder(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    if let Some(folder) = surroundings.set("HADOOP_CONF_DIR") {
        return Some(surroundings.path(&folder));
    }
    let home = surroundings.path(&surroundings.set("HADOOP_HOME")?);
    ["etc/hadoop", "conf"].map(|folder| home.join(folder)).into_iter().find(|it| it.is_dir())
}

fn texts(folder: &Path, names: &[&str]) -> Result<BTreeMap<String, String>, Error> {
    let mut all = BTreeMap::new();
    for name in names {
        if let Some(text) = text("the file", &folder.join(name))? {
            all.insert((*name).to_owned(), text);
        }
    }
    Ok(all)
}

fn text(what: &'static str, path: &Path) -> Result<Option<String>, Error> {
    if_there(what, path, fs::read_to_string(path))
}

fn named_file(path: &Path) -> Result<Option<NamedFile>, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let content = if_there("the file", path, fs::read(path))?;
    Ok(content.map(|content| NamedFile { name, content }))
}

fn if_there<T>(what: &'static str, path: &Path, read: io::Result<T>) -> Result<Option<T>, Error> {
    match read {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::ReadFile { what, path: path.to_owned(), source }),
    }
}
