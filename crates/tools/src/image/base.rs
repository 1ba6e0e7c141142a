//! The file of a base image.

mod check;
mod gather;
mod packages;
mod schema;

use std::{collections::BTreeMap, path::PathBuf};

use flumen_image::Reference;
use flumen_maven::{Coordinates, Exclusion};
use flumen_model::{Digest, FlinkVersion, ImagePython};
use serde::Deserialize;

use crate::Error;
pub(super) use check::check;
pub(super) use gather::{Group, Jar, gather};
pub(super) use packages::{fetch as fetch_packages, unpack};
pub(crate) use schema::base_schema;

/// What a base image is made of.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) name: String,
    pub(super) flink_version: FlinkVersion,
    /// The image that it stands on.
    pub(super) parent: Reference,
    pub(super) target: Reference,
    pub(super) connectors: Vec<Item>,
    pub(super) udfs: Vec<Item>,
    pub(super) plugins: BTreeMap<String, Vec<Item>>,
    pub(super) python: Option<Packages>,
    pub(super) labels: BTreeMap<String, String>,
}

/// Packages of Python.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Packages {
    #[serde(default)]
    requirements: Vec<String>,
    requirements_file: Option<PathBuf>,
    /// The Python of the image below, where that does not say it.
    interpreter: Option<ImagePython>,
}

/// What is put in.
#[derive(Debug)]
pub(super) enum Item {
    /// A jar with all that it depends on.
    Maven { coordinates: Coordinates, exclusions: Vec<Exclusion> },
    /// A jar of this machine, and what it must be.
    File { path: PathBuf, digest: Option<Digest>, key: String },
}

/// As it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    name: String,
    flink_version: String,
    base: String,
    target: String,
    #[serde(default)]
    connectors: Vec<WrittenItem>,
    #[serde(default)]
    udfs: Vec<WrittenItem>,
    #[serde(default)]
    plugins: BTreeMap<String, Vec<WrittenItem>>,
    python: Option<Packages>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenItem {
    maven: Option<String>,
    #[serde(default)]
    exclude: Vec<String>,
    path: Option<PathBuf>,
    sha256: Option<String>,
}

/// Reads the file `name`. Paths in it are relative to `directory`.
pub(super) fn parse(name: &str, text: &str, directory: &std::path::Path) -> Result<Base, Error> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    let written: Written = serde_saphyr::from_str_with_options(text, options)
        .map_err(|source| Error::BaseFile { file: name.to_owned(), source: Box::new(source) })?;
    let reader = Reader { file: name, directory };
    let target: Reference = reader.parsed("target", &written.target)?;
    if target.digest().is_some() {
        return Err(Error::TargetHasDigest { target: target.to_string() });
    }
    if written.name.trim().is_empty() {
        return Err(reader.wrong("name", "it is empty; expected a name for people".to_owned()));
    }
    let mut plugins = BTreeMap::new();
    for (folder, items) in written.plugins {
        let key = format!("plugins.{folder}");
        reader.check_folder(&folder)?;
        plugins.insert(folder, reader.items(&key, items)?);
    }
    let base = Base {
        name: written.name,
        flink_version: reader.parsed("flinkVersion", &written.flink_version)?,
        parent: reader.parsed("base", &written.base)?,
        target,
        connectors: reader.items("connectors", written.connectors)?,
        udfs: reader.items("udfs", written.udfs)?,
        plugins,
        python: written.python.map(|python| reader.packages(python)).transpose()?,
        labels: written.labels,
    };
    let lists = [&base.connectors, &base.udfs];
    let has_jars = !lists.into_iter().chain(base.plugins.values()).all(Vec::is_empty);
    if !has_jars && base.python.is_none() {
        let problem =
            "there is nothing to put into the image; expected connectors, udfs, plugins or python";
        return Err(reader.wrong("connectors", problem.to_owned()));
    }
    Ok(base)
}

struct Reader<'a> {
    file: &'a str,
    directory: &'a std::path::Path,
}

impl Reader<'_> {
    fn wrong(&self, key: &str, problem: String) -> Error {
        Error::BaseValue { file: self.file.to_owned(), key: key.to_owned(), problem }
    }

    fn parsed<T: std::str::FromStr>(&self, key: &str, text: &str) -> Result<T, Error>
    where
        T::Err: std::fmt::Display,
    {
        text.parse().map_err(|error: T::Err| self.wrong(key, error.to_string()))
    }

    fn packages(&self, packages: Packages) -> Result<Packages, Error> {
        if packages.requirements.is_empty() && packages.requirements_file.is_none() {
            let problem = "it names no packages; expected requirements or requirementsFile";
            return Err(self.wrong("python", problem.to_owned()));
        }
        let requirements_file = packages.requirements_file.map(|file| self.directory.join(file));
        Ok(Packages { requirements_file, ..packages })
    }

    /// Flink loads each folder by a class loader of its own.
    fn check_folder(&self, folder: &str) -> Result<(), Error> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !folder.is_empty() && !folder.starts_with('.') && folder.bytes().all(is_allowed) {
            return Ok(());
        }
        let problem = format!(
            "{folder:?} cannot be the name of a folder below plugins: expected letters, digits, ., _ and -, not beginning with a ."
        );
        Err(self.wrong("plugins", problem))
    }

    fn items(&self, key: &str, written: Vec<WrittenItem>) -> Result<Vec<Item>, Error> {
        let items = written.into_iter().enumerate();
        items.map(|(place, item)| self.item(&format!("{key}[{place}]"), item)).collect()
    }

    fn item(&self, key: &str, item: WrittenItem) -> Result<Item, Error> {
        let WrittenItem { maven, exclude, path, sha256 } = item;
        let refuse = |problem: &str| Err(self.wrong(key, problem.to_owned()));
        match (maven, path) {
            (Some(_), Some(_)) => refuse("it has both maven and path; expected one of them"),
            (None, None) => refuse("it has neither maven nor path; expected one of them"),
            (Some(_), None) if sha256.is_some() => refuse(
                "sha256 is for a path; what Maven fetches is checked by the repository's checksums",
            ),
            (None, Some(_)) if !exclude.is_empty() => {
                refuse("exclude is for maven; a file brings nothing else")
            }
            (Some(maven), None) => {
                let exclude = exclude.iter().map(|text| self.parsed(key, text));
                Ok(Item::Maven {
                    coordinates: self.parsed(key, &maven)?,
                    exclusions: exclude.collect::<Result<_, _>>()?,
                })
            }
            (None, Some(path)) => {
                let digest = sha256.map(|hex| self.parsed(key, &format!("sha256:{hex}")));
                let path = self.directory.join(path);
                Ok(Item::File { path, digest: digest.transpose()?, key: key.to_owned() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const FILE: &str = "\
name: kafka
flinkVersion: 1.20.5
base: flink:1.20.5
target: localhost:5000/flink:kafka
connectors:
- path: kafka.jar
plugins:
  s3:
  - {maven: 'org.apache.flink:flink-s3-fs-presto:1.20.5', exclude: ['a:*']}
labels: {team: data}
";

    fn refusal(from: &str, to: &str) -> String {
        let text = FILE.replacen(from, to, 1);
        assert_ne!(text, FILE);
        let error = parse("base.yaml", &text, Path::new("")).expect_err(to);
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let base = parse("base.yaml", FILE, Path::new("/there")).expect("valid");
        assert!(
            matches!(&base.connectors[..], [Item::File { path, .. }] if path == Path::new("/there/kafka.jar"))
        );
        assert!(
            matches!(&base.plugins["s3"][..], [Item::Maven { exclusions, .. }] if exclusions.len() == 1)
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        for (from, to, said) in [
            ("name: kafka", "nam: kafka", "nam"),
            ("1.20.5\nbase", "1.20\nbase", "flinkVersion"),
            ("base: flink:1.20.5", "base: 'Flink 1'", "base"),
            ("path: kafka.jar", "{}", "connectors[0]: it has neither"),
            ("path: kafka.jar", "{path: a.jar, maven: 'a:b:1'}", "connectors[0]: it has both"),
            ("path: kafka.jar", "{path: a.jar, sha256: abc}", "64 lower-case hex"),
            ("path: kafka.jar", "{path: a.jar, exclude: ['a:b']}", "exclude is for maven"),
            ("path: kafka.jar", "maven: a", "connectors[0]"),
            ("  s3:", "  a/b:", "\"a/b\" cannot be the name of a folder"),
            ("  s3:", "  ..:", "\"..\" cannot be"),
            ("labels: {team: data}", "labels: {team: [a]}", "line"),
            ("labels: {team: data}", "python: {}", "python: it names no packages"),
            ("labels: {team: data}", "python: {requirement: [a]}", "requirement"),
            ("labels: {team: data}", "name: twice", "name"),
            (
                "flink:kafka",
                "flink@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                "has a digest",
            ),
        ] {
            let refused = refusal(from, to);
            assert!(refused.contains(said), "{to}: {refused}");
        }
    }

    #[test]
    fn an_image_with_nothing_in_it_is_refused() {
        let text = FILE.split("connectors").next().expect("a part").to_owned();
        let error = parse("base.yaml", &text, Path::new("")).expect_err("nothing");
        assert!(error.to_string().contains("nothing to put into the image"), "{error}");
    }
}
