//! Flink's example programs, from the Maven repository.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// What a Flink version is tried with.
struct Examples {
    flink: &'static str,
    artifact: &'static str,
    /// Not every release of Flink has one in the repository; this is the nearest that needs nothing which
    /// this Flink lacks.
    release: &'static str,
    /// Whether their events come from a connector that Flink does not bring along.
    has_connector: bool,
}

const WITH_SCALA: &str = "flink-examples-streaming_2.12";
const WITHOUT_SCALA: &str = "flink-examples-streaming";

const EXAMPLES: [Examples; 12] = [
    examples("1.13.6", WITH_SCALA, "1.9.1"),
    examples("1.14.6", WITH_SCALA, "1.9.1"),
    examples("1.15.4", WITH_SCALA, "1.15.3"),
    examples("1.16.3", WITH_SCALA, "1.16.2"),
    examples("1.17.2", WITH_SCALA, "1.17.1"),
    examples_with_connector("1.18.1", "1.18.1"),
    examples_with_connector("1.19.3", "1.19.1"),
    examples_with_connector("1.20.5", "1.20.0"),
    examples_with_connector("2.0.2", "2.3.0"),
    examples_with_connector("2.1.3", "2.3.0"),
    examples_with_connector("2.2.1", "2.3.0"),
    examples_with_connector("2.3.0", "2.3.0"),
];

const fn examples(flink: &'static str, artifact: &'static str, release: &'static str) -> Examples {
    Examples { flink, artifact, release, has_connector: false }
}

const fn examples_with_connector(flink: &'static str, release: &'static str) -> Examples {
    Examples { has_connector: true, ..examples(flink, WITHOUT_SCALA, release) }
}

fn find(flink: &str) -> Result<&'static Examples> {
    let found = EXAMPLES.iter().find(|known| known.flink == flink);
    found.with_context(|| format!("there is no release of the examples for Flink {flink} here"))
}

/// Flink versions that are tried: the newest release of each minor that runs on Java 17, oldest first.
pub fn tried_versions() -> impl Iterator<Item = &'static str> {
    EXAMPLES.iter().map(|known| known.flink)
}

/// The jar of the streaming examples for this Flink version, downloaded once into the cache directory.
///
/// # Errors
/// If there is none for this version, or it cannot be downloaded.
pub fn example_jar(cache: &Path, flink: &str) -> Result<PathBuf> {
    let Examples { artifact, release, .. } = find(flink)?;
    flink_jar(cache, artifact, release)
}

/// The connector that the streaming examples generate their events with, where they need one.
///
/// # Errors
/// If it cannot be downloaded.
pub fn connector_jar(cache: &Path, flink: &str) -> Result<Option<PathBuf>> {
    let jar = || flink_jar(cache, "flink-connector-datagen", flink);
    find(flink)?.has_connector.then(jar).transpose()
}

/// Writes the examples and their connector into one jar, as a session takes a program.
///
/// # Errors
/// If something cannot be downloaded or written.
pub fn write_program(cache: &Path, flink: &str, path: &Path) -> Result<()> {
    let script = "import sys, zipfile\n\
                  with zipfile.ZipFile(sys.argv[1], 'w') as program:\n\
                  \x20   for part in map(zipfile.ZipFile, sys.argv[2:]):\n\
                  \x20       for name in set(part.namelist()) - set(program.namelist()):\n\
                  \x20           program.writestr(name, part.read(name))\n";
    let jars = [path.to_owned(), example_jar(cache, flink)?];
    let jars: Vec<_> = jars.into_iter().chain(connector_jar(cache, flink)?).collect();
    python(script, &jars).with_context(|| format!("could not write {}", path.display()))
}

/// A jar of Flink's own, downloaded once into the cache directory.
pub(crate) fn flink_jar(cache: &Path, artifact: &str, release: &str) -> Result<PathBuf> {
    let directory = cache.join("examples");
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("could not create {}", directory.display()))?;
    let jar = directory.join(format!("{artifact}-{release}.jar"));
    if jar.exists() {
        return Ok(jar);
    }
    let script = format!(
        "import os, sys, urllib.request\n\
         base = os.environ.get('MAVEN_REPOSITORY', 'https://repo.maven.apache.org/maven2')\n\
         url = f'{{base}}/org/apache/flink/{artifact}/{release}/{artifact}-{release}.jar'\n\
         urllib.request.urlretrieve(url, sys.argv[1])\n\
         os.rename(sys.argv[1], sys.argv[2])\n"
    );
    let part = directory.join(format!(".part-{}", std::process::id()));
    python(&script, &[part, jar.clone()])
        .with_context(|| format!("could not download {artifact} {release}"))?;
    Ok(jar)
}

/// Python is there anyway, for the distribution itself, and has an HTTPS client and a reader of jars.
pub(crate) fn python(script: &str, arguments: &[PathBuf]) -> Result<()> {
    let output = Command::new("python3").args(["-c", script]).args(arguments).output();
    let output = output.context("could not run python3")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", said.lines().last().unwrap_or_default());
    Ok(())
}
