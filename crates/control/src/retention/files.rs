use std::{ffi::OsStr, io, path::Path};

use flumen_model::Digest;
use flumen_store::{Environment, RemovalKind};
use jiff::Timestamp;

use super::{Fate, Round};
use crate::{Control, Error, artifacts::Part, error::no_answer};

/// Removes artifacts that nothing needs, and files that nobody knows of.
pub(super) async fn remove(round: &mut Round<'_>) -> Result<(), Error> {
    let (control, cutoff) = (round.control, round.cutoff());
    for artifact in control.store().unused_artifacts(round.team).await? {
        let name = artifact.digest.to_string();
        let fate = match round.until(artifact.since) {
            Some(until) => Fate::Kept { until: Some(until), reason: None },
            None if round.dry_run => Fate::Due,
            None => {
                let removal =
                    round.removal((RemovalKind::Artifact, artifact.team), &name, artifact.size);
                let _alone = control.keeping().files.write().await;
                if !control.store().remove_artifact(&artifact.digest, cutoff, &removal).await? {
                    continue;
                }
                unlink(control, &control.artifact_path(&artifact.digest)).await?;
                Fate::Removed
            }
        };
        round.add(RemovalKind::Artifact, name, artifact.size, fate);
    }
    // What nobody knows is nobody's: the server itself removes it.
    if round.dry_run || round.team.is_some() { Ok(()) } else { remove_unknown(round).await }
}

/// Files without a row: of an artifact whose removal was written down, or whose upload was not.
async fn remove_unknown(round: &Round<'_>) -> Result<(), Error> {
    let (control, cutoff) = (round.control, round.cutoff());
    let directory = control.artifacts_directory();
    let read = |source| Error::file("read", &directory)(source);
    let mut entries = tokio::fs::read_dir(&directory).await.map_err(read)?;
    while let Some(entry) = entries.next_entry().await.map_err(read)? {
        let path = entry.path();
        if path.extension() == Some(OsStr::new("upload")) {
            remove_upload(control, &path, cutoff).await?;
            continue;
        }
        // What is in a jar stands beside it as `.facts`, and goes with it.
        if path.extension().is_some_and(|extension| extension != OsStr::new("facts")) {
            continue;
        }
        let hex = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        let Ok(digest) = format!("sha256:{hex}").parse::<Digest>() else { continue };
        let _alone = control.keeping().files.write().await;
        if !control.store().knows_artifact(&digest).await? {
            unlink(control, &path).await?;
        }
    }
    Ok(())
}

/// Removes what has arrived of a file when nobody went on with it.
async fn remove_upload(control: &Control, path: &Path, cutoff: Timestamp) -> Result<(), Error> {
    let look = |source| Error::file("look at", path)(source);
    let written = async { tokio::fs::metadata(path).await?.modified() };
    let written = match written.await {
        Ok(written) => Timestamp::try_from(written).unwrap_or(Timestamp::MAX),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(look(error)),
    };
    // Who holds it writes it still; nobody can begin with it before it is gone.
    let part = if written <= cutoff { Part::resumable(path.to_owned()).await? } else { None };
    if part.is_some() { unlink(control, path).await } else { Ok(()) }
}

/// Removes from the storages of environments what was put there for pods to fetch and is not here any more. A storage that
/// does not answer is looked at in the next round.
pub(super) async fn remove_stored(control: &Control) {
    let environments = control.store().environments().await.unwrap_or_default();
    for environment in environments {
        if let Err(error) = remove_stored_in(control, &environment).await {
            let (environment, error) = (environment.name.as_str(), error.paragraph());
            tracing::debug!(
                environment,
                error,
                "unneeded artifacts were not looked for in a storage"
            );
        }
    }
}

async fn remove_stored_in(control: &Control, environment: &Environment) -> Result<(), Error> {
    let Some(team) = control.store().first_team().await? else { return Ok(()) };
    let Some(files) = control.storages().look(environment).await?.files() else { return Ok(()) };
    for digest in files.kept_artifacts(team).await? {
        let _alone = control.keeping().files.write().await;
        if !control.store().knows_artifact(&digest).await? {
            files.remove_artifact((team, control.faults()), &digest).await?;
        }
    }
    Ok(())
}

async fn unlink(control: &Control, path: &Path) -> Result<(), Error> {
    for path in [path, &path.with_extension("facts")] {
        let remove = tokio::fs::remove_file(path);
        match control.faults().around("file.remove-artifact", remove, no_answer).await {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::file("remove", path)(source));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
