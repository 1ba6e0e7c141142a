//! What was found in jars, beside the jars: a jar is looked into once.

use std::{
    io::{self, BufReader},
    path::Path,
};

use flumen_jar::{Facts, inspect};
use flumen_store::ReleaseArtifact;
use serde::{Deserialize, Serialize};

use crate::{Control, Error};

/// What is written is read by this form only; another one is as good as none.
const FORM: u32 = 3;

#[derive(Serialize, Deserialize)]
struct Written<F> {
    form: u32,
    facts: F,
}

impl Control {
    /// What is in a jar.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no jar.
    pub(crate) async fn facts(&self, jar: &ReleaseArtifact) -> Result<Facts, Error> {
        let path = self.artifact_path(&jar.digest);
        let found = tokio::task::spawn_blocking(move || facts(&path)).await;
        match found {
            Ok(Ok(inspected)) => inspected.map_err(|source| Error::Invalid {
                message: format!("the artifact {} cannot be looked into: {source}", jar.name),
            }),
            Ok(Err(error)) => Err(error),
            Err(error) => Err(Error::file("read", &jar.name)(io::Error::other(error))),
        }
    }
}

fn facts(path: &Path) -> Result<Result<Facts, flumen_jar::Error>, Error> {
    let beside = path.with_extension("facts");
    let known = std::fs::read(&beside).ok();
    let known = known.and_then(|text| serde_json::from_slice::<Written<Facts>>(&text).ok());
    if let Some(Written { facts, .. }) = known.filter(|known| known.form == FORM) {
        return Ok(Ok(facts));
    }
    let file = std::fs::File::open(path).map_err(Error::file("open", path))?;
    let facts = match inspect(&mut BufReader::new(file)) {
        Ok(jar) => Facts::of(jar),
        Err(error) => return Ok(Err(error)),
    };
    if let Err(error) = write(&beside, &facts) {
        // It is looked into again the next time.
        tracing::debug!(path = %beside.display(), %error, "what is in a jar was not written down");
    }
    Ok(Ok(facts))
}

fn write(path: &Path, facts: &Facts) -> io::Result<()> {
    let part = path.with_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
    let text = serde_json::to_vec(&Written { form: FORM, facts })?;
    let written = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        // A part that stays is removed when the server starts.
        let _ = std::fs::remove_file(&part);
    }
    written
}
