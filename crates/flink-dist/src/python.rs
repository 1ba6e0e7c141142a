//! A Flink home out of Python packages: the jars are in `apache-flink-libraries`, scripts and configuration in
//! `apache-flink`; up to 1.12 the latter has everything.

mod pip;
mod unpack;

use std::path::PathBuf;

use flumen_model::{FlinkMinor, FlinkVersion};

use crate::{Distribution, Error, cache::Slot};
use pip::{Form, Pip};

/// From where and to where distributions are downloaded.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory that keeps them, as `flink/<version>`.
    pub cache: PathBuf,
    /// The Python that has pip. Default: `python3`, looked for in the search path.
    pub python: PathBuf,
}

impl Settings {
    /// Keeps distributions in `cache` and uses `python3`.
    pub fn new(cache: PathBuf) -> Self {
        Self { cache, python: "python3".into() }
    }
}

const JARS: &str = "apache-flink-libraries";
const SCRIPTS: &str = "apache-flink";
/// The first minor whose jars have a package of their own.
const FIRST_WITH_JARS_PACKAGE: FlinkMinor = FlinkMinor::new(1, 13);

/// Flink `version`, if it was downloaded before.
///
/// # Errors
/// `Invalid` if what is in the cache is no Flink distribution, `Unavailable` if it cannot be read.
pub fn cached(version: FlinkVersion, settings: &Settings) -> Result<Option<Distribution>, Error> {
    Slot::new(&settings.cache, version).find()
}

/// Gives Flink `version` from the cache, or downloads it (about 250 MB) into the cache first. `progress` is told
/// each step in a line of text.
///
/// # Errors
/// `NotFound` if the package index lacks the version, `Unavailable` if the index cannot be reached or the disk is full,
/// `Invalid` if Python or pip is missing or what is in the cache or comes from the index is not a Flink distribution.
pub async fn download(
    version: FlinkVersion,
    settings: &Settings,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Distribution, Error> {
    let slot = Slot::new(&settings.cache, version);
    if let Some(found) = slot.find()? {
        return Ok(found);
    }
    let filling = slot
        .fill(|| progress(&format!("waiting for another process that downloads Flink {version}")))
        .await
        .map_err(|error| full_disk(error, settings, version))?;
    if let Some(found) = slot.find()? {
        return Ok(found);
    }
    let packages = filling.scratch().join("packages");
    let pip = Pip::new(&settings.python, &packages, filling.scratch(), version)?;
    let result = async {
        if version.minor() >= FIRST_WITH_JARS_PACKAGE {
            progress(&format!("downloading {JARS} {version} from the Python package index"));
            pip.download(JARS, &[Form::Source]).await?;
        }
        progress(&format!("downloading {SCRIPTS} {version} from the Python package index"));
        pip.download(SCRIPTS, &forms(version.minor())).await?;
        progress(&format!("unpacking Flink {version}"));
        let home = filling.scratch().join("home");
        let (from, to) = (packages.clone(), home.clone());
        tokio::task::spawn_blocking(move || unpack::unpack_all(&from, &to))
            .await
            .map_err(|_| Error::Interrupted { step: "unpacking a Flink distribution" })??;
        Ok(home)
    };
    let home = result.await.map_err(|error| full_disk(error, settings, version))?;
    let distribution = filling.complete(&home)?;
    progress(&format!("Flink {version} is in {}", distribution.home().display()));
    Ok(distribution)
}

/// In which forms `apache-flink` is worth asking for, best first. A wheel is for one version of Python; what we take
/// from it is the same in all.
fn forms(minor: FlinkMinor) -> Vec<Form> {
    let pythons: &[&str] = if minor < FlinkMinor::new(1, 16) {
        &["3.7", "3.8", "3.6"]
    } else if minor < FlinkMinor::new(2, 1) {
        &["3.8", "3.9", "3.10", "3.11"]
    } else {
        &["3.10", "3.11", "3.12", "3.9"]
    };
    let mut forms = vec![Form::Wheel];
    forms.extend(pythons.iter().map(|python| Form::WheelFor(python)));
    forms.push(Form::Source);
    forms
}

/// Says of a full disk what it is, wherever it was met.
fn full_disk(error: Error, settings: &Settings, version: FlinkVersion) -> Error {
    let is_full = |source: &std::io::Error| {
        matches!(source.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
    };
    match error {
        Error::Write { source, .. } if is_full(&source) => {
            Error::DiskFull { path: settings.cache.clone(), version }
        }
        other => other,
    }
}
