//! Flink's example programs, from the Maven repository.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

/// Flink versions that are tried, and the release of the examples that runs on each.
pub const EXAMPLES_RELEASES: [(&str, &str); 2] = [("1.20.5", "1.20.0"), ("2.3.0", "2.3.0")];

/// The jar of the streaming examples for this Flink version, downloaded once into the cache directory.
///
/// # Errors
/// If there is none for this version, or it cannot be downloaded.
pub fn example_jar(cache: &Path, flink: &str) -> Result<PathBuf> {
    let Some((_, release)) = EXAMPLES_RELEASES.iter().find(|(version, _)| *version == flink) else {
        bail!("there is no release of the examples for Flink {flink} here");
    };
    flink_jar(cache, "flink-examples-streaming", release)
}

/// The connector that the streaming examples generate their events with, which Flink does not bring along.
///
/// # Errors
/// If it cannot be downloaded.
pub fn connector_jar(cache: &Path, flink: &str) -> Result<PathBuf> {
    flink_jar(cache, "flink-connector-datagen", flink)
}

fn flink_jar(cache: &Path, artifact: &str, release: &str) -> Result<PathBuf> {
    let directory = cache.join("examples");
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("could not create {}", directory.display()))?;
    let jar = directory.join(format!("{artifact}-{release}.jar"));
    if jar.exists() {
        return Ok(jar);
    }
    // Python is there anyway, for the distribution itself, and has an HTTPS client.
    let script = format!(
        "import os, urllib.request\n\
         base = os.environ.get('MAVEN_REPOSITORY', 'https://repo.maven.apache.org/maven2')\n\
         url = f'{{base}}/org/apache/flink/{artifact}/{release}/{artifact}-{release}.jar'\n\
         part = '{part}'\n\
         urllib.request.urlretrieve(url, part)\n\
         os.rename(part, '{jar}')\n",
        part = directory.join(format!(".part-{}", std::process::id())).display(),
        jar = jar.display()
    );
    let output =
        Command::new("python3").args(["-c", &script]).output().context("could not run python3")?;
    ensure!(
        output.status.success(),
        "could not download {artifact} {release}: {}",
        String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default()
    );
    Ok(jar)
}
