//! Artifacts on this machine that are to be copied to where the pods can fetch them, from 1.20 on
//! (`kubernetes.artifacts.local-upload-enabled`). `local:` means this machine then, not the image.

use std::{fs, io, path::PathBuf};

use flumen_flink_conf::{Configuration, Value};
use flumen_flink_manifest::Mode;
use flumen_model::FlinkMinor;

use crate::{Error, Surroundings, program::has_scheme};

const SINCE: FlinkMinor = FlinkMinor::new(1, 20);
const ENABLED: &str = "kubernetes.artifacts.local-upload-enabled";
const TARGET: &str = "kubernetes.artifacts.local-upload-target";
const OVERWRITE: &str = "kubernetes.artifacts.local-upload-overwrite";
const LIST: &str = "user.artifacts.artifact-list";

/// A file that is to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    from: PathBuf,
    to: PathBuf,
    overwrite: bool,
}

/// Puts the URIs after the upload into the application and the configuration; nothing is copied yet.
pub(crate) fn plan(
    mode: &mut Mode,
    configuration: &mut Configuration,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<Upload>, Error> {
    let Mode::Application(application) = mode else { return Ok(Vec::new()) };
    if configuration.minor() < SINCE || configuration.boolean(ENABLED)? != Some(true) {
        return Ok(Vec::new());
    }
    let Some(jar) = &application.jar else {
        return Err(Error::Unsupported {
            what: format!("{ENABLED} is true, and there is no jar to upload"),
            instead: "Without a jar leave that option out.".to_owned(),
        });
    };
    let target = configuration.string(TARGET)?.filter(|text| !text.trim().is_empty());
    let overwrite = configuration.boolean(OVERWRITE)?.unwrap_or_default();
    let mut uploads = Vec::new();
    let mut uploaded = |uri: &str| -> Result<String, Error> {
        let Some(from) = uri.strip_prefix("local:") else { return Ok(uri.to_owned()) };
        let from = PathBuf::from(format!("/{}", from.trim_start_matches('/')));
        let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (shown, folder) = folder(target.as_deref(), surroundings)?;
        uploads.push(Upload { from, to: folder.join(&name), overwrite });
        Ok(format!("{shown}/{name}"))
    };
    application.jar = Some(uploaded(jar)?);
    if let Some(others) = configuration.list(LIST)? {
        let new = others.iter().map(|uri| uploaded(uri)).collect::<Result<Vec<_>, _>>()?;
        if new != others {
            configuration.set(LIST, Value::List(new));
        }
    }
    Ok(uploads)
}

/// The folder that the target names: as it stands in URIs, and on this machine.
fn folder(
    target: Option<&str>,
    surroundings: &Surroundings<'_>,
) -> Result<(String, PathBuf), Error> {
    let Some(target) = target else {
        return Err(Error::Failed(format!(
            "Setting '{TARGET}' to a valid remote path is required."
        )));
    };
    let target = target.trim().trim_end_matches('/');
    match target.strip_prefix("file:") {
        Some(path) => {
            let path = format!("/{}", path.trim_start_matches('/'));
            Ok((format!("file:{path}"), path.into()))
        }
        None if has_scheme(target) => Err(Error::Unsupported {
            what: format!(
                "{TARGET} is {target:?}, and uploading there is done by Flink's file systems, which are Java"
            ),
            instead: format!(
                "Upload the files yourself, name their URIs instead of `local:`, and leave {ENABLED} out; or use a folder that this machine and the pods share (`file:`)."
            ),
        }),
        None => Ok((target.to_owned(), surroundings.path(target))),
    }
}

impl Upload {
    /// Copies the file, under another name first so that nobody reads half of it.
    pub(crate) fn carry_out(&self) -> Result<(), Error> {
        if self.to.exists() && !self.overwrite {
            return Ok(());
        }
        let failed =
            |source| Error::Upload { from: self.from.clone(), to: self.to.clone(), source };
        self.copy().map_err(failed)
    }

    fn copy(&self) -> io::Result<()> {
        if let Some(folder) = self.to.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut part = self.to.clone().into_os_string();
        part.push(".part");
        fs::copy(&self.from, &part)?;
        fs::rename(&part, &self.to)
    }
}
