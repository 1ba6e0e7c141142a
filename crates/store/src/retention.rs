//! What nothing needs any more. Each removal looks again, in the transaction that removes, whether that is still so.

use flumen_model::{Digest, JobId, ReleaseId, Uuid};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Store,
    database::Writing,
    rows::{read_all, word},
};

/// What sort of thing was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RemovalKind {
    /// A release of a job.
    Release,
    /// The file of an artifact.
    Artifact,
    /// An image in a registry.
    Image,
}

/// Something that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Its id, a UUID of version 7.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// What sort.
    pub kind: RemovalKind,
    /// What it was called.
    pub name: String,
    /// How many bytes it had.
    pub bytes: u64,
}

/// A release that is one too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurplusRelease {
    /// Its job.
    pub job: JobId,
    /// Its id.
    pub id: ReleaseId,
    /// Environment, job and number, for people.
    pub name: String,
}

/// The file of an artifact that nothing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedArtifact {
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// When that was first seen; none if it was not looked for since.
    pub since: Option<Timestamp>,
}

/// An image that nothing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedImage {
    /// What it was made of, in short.
    pub key: String,
    /// The registry.
    pub registry: String,
    /// The image by digest, without the registry.
    pub image: String,
    /// How many bytes were sent for it.
    pub bytes: u64,
    /// When that was first seen; none if it was not looked for since.
    pub since: Option<Timestamp>,
    /// Whether its removal has begun.
    pub removing: bool,
    /// Why its registry did not delete it, the last time.
    pub refusal: Option<String>,
}

const WHAT: &str = "what is to be removed";

/// A run that was wished for and is older than one that began is never begun: nobody ends it either.
macro_rules! open_run {
    () => {
        "(runs.ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM runs AS newer WHERE newer.job = runs.job \
           AND newer.number > runs.number AND newer.running_at IS NOT NULL))"
    };
}

/// `$1` is how many releases a job keeps. The job's own stays, and so do those that a run may still be running, or of
/// which there is a snapshot.
macro_rules! surplus {
    () => {
        concat!("releases.id <> (SELECT release_id FROM jobs WHERE jobs.id = releases.job) \
         AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.job = releases.job AND runs.release_id = releases.id \
           AND (",
            open_run!(),
            " OR EXISTS (SELECT 1 FROM snapshots WHERE snapshots.run = runs.id))) \
         AND (SELECT count(*) FROM releases AS later WHERE later.job = releases.job AND later.number > releases.number) >= $1")
    };
}

macro_rules! unneeded_artifact {
    () => {
        "NOT EXISTS (SELECT 1 FROM release_artifacts WHERE release_artifacts.digest = artifacts.digest) \
         AND NOT EXISTS (SELECT 1 FROM project_builds WHERE project_builds.digest = artifacts.digest) \
         AND NOT EXISTS (SELECT 1 FROM operations WHERE operations.state = 'running' \
           AND operations.request LIKE '%' || artifacts.digest || '%')"
    };
}

/// Images of kept releases stay, so that a job goes back to one soon.
macro_rules! unneeded_image {
    () => {
        concat!("images.registry IS NOT NULL AND NOT EXISTS (SELECT 1 FROM runs \
         WHERE runs.image = images.registry || '/' || images.image AND (", open_run!(), " OR EXISTS \
           (SELECT 1 FROM releases WHERE releases.job = runs.job AND releases.id = runs.release_id)))")
    };
}

impl Store {
    /// The releases that are more than each job keeps, oldest first.
    pub async fn surplus_releases(&self, keep: u32) -> Result<Vec<SurplusRelease>, Error> {
        let query = sqlx::query(concat!(
            "SELECT releases.job, releases.id, jobs.environment || '/' || jobs.name || ' ' || releases.number AS label \
             FROM releases JOIN jobs ON jobs.id = releases.job WHERE ",
            surplus!(),
            " ORDER BY releases.job, releases.number"
        ))
        .bind(i64::from(keep.max(1)));
        let rows = self.rows(WHAT, query).await?;
        read_all(&rows, WHAT, |columns| {
            Ok(SurplusRelease {
                job: columns.parsed("job")?,
                id: columns.parsed("id")?,
                name: columns.text("label")?,
            })
        })
    }

    /// Removes a release if it is still one too many; says whether it was.
    pub async fn remove_release(
        &self,
        release: &SurplusRelease,
        keep: u32,
        removal: &Removal,
    ) -> Result<bool, Error> {
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query(concat!(
            "DELETE FROM releases WHERE releases.job = $2 AND releases.id = $3 AND ",
            surplus!()
        ))
        .bind(i64::from(keep.max(1)))
        .bind(release.job.to_string())
        .bind(release.id.to_string());
        if writing.execute(WHAT, statement).await?.rows_affected() == 0 {
            return Ok(false);
        }
        insert(&mut writing, removal).await?;
        self.commit("store.remove-release", WHAT, writing).await.map(|()| true)
    }

    /// Notes since when nothing needs an artifact or an image, and forgets it of what is needed again.
    pub async fn mark_unused(&self, now: Timestamp) -> Result<(), Error> {
        let mut writing = self.write(WHAT).await?;
        for marking in [
            concat!(
                "UPDATE artifacts SET unused_since = $1 WHERE unused_since IS NULL AND ",
                unneeded_artifact!()
            ),
            concat!(
                "UPDATE images SET unused_since = $1 WHERE unused_since IS NULL AND ",
                unneeded_image!()
            ),
        ] {
            let statement = sqlx::query(marking).bind(now.as_millisecond());
            writing.execute(WHAT, statement).await?;
        }
        for clearing in [
            concat!(
                "UPDATE artifacts SET unused_since = NULL WHERE unused_since IS NOT NULL AND NOT (",
                unneeded_artifact!(),
                ")"
            ),
            concat!(
                "UPDATE images SET unused_since = NULL, removing = 0 WHERE unused_since IS NOT NULL AND NOT (",
                unneeded_image!(),
                ")"
            ),
        ] {
            writing.execute(WHAT, sqlx::query(clearing)).await?;
        }
        self.commit("store.mark-unused", WHAT, writing).await
    }

    /// The artifacts that nothing needs, the longest unused first.
    pub async fn unused_artifacts(&self) -> Result<Vec<UnusedArtifact>, Error> {
        let query = sqlx::query(concat!(
            "SELECT digest, size, unused_since FROM artifacts WHERE ",
            unneeded_artifact!(),
            " ORDER BY unused_since, digest"
        ));
        let rows = self.rows(WHAT, query).await?;
        read_all(&rows, WHAT, |columns| {
            Ok(UnusedArtifact {
                digest: columns.parsed("digest")?,
                size: count(columns.number("size")?),
                since: columns.optional_time("unused_since")?,
            })
        })
    }

    /// Forgets an artifact that nothing needed since `before`, and nobody asked for since a release began to be
    /// prepared; says whether that was so. Its file is to be removed after it.
    pub async fn remove_artifact(
        &self,
        digest: &Digest,
        before: Timestamp,
        removal: &Removal,
    ) -> Result<bool, Error> {
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query(concat!(
            "DELETE FROM artifacts WHERE digest = $1 AND unused_since <= $2 AND NOT EXISTS (SELECT 1 FROM operations \
             WHERE operations.state = 'running' AND operations.kind = 'apply' AND operations.job IS NULL \
             AND operations.created_at <= artifacts.unused_since) AND ",
            unneeded_artifact!()
        ))
        .bind(digest.as_str())
        .bind(before.as_millisecond());
        if writing.execute(WHAT, statement).await?.rows_affected() == 0 {
            return Ok(false);
        }
        insert(&mut writing, removal).await?;
        self.commit("store.remove-artifact", WHAT, writing).await.map(|()| true)
    }

    /// The images that nothing needs, the longest unused first.
    pub async fn unused_images(&self) -> Result<Vec<UnusedImage>, Error> {
        let query = sqlx::query(concat!(
            "SELECT * FROM images WHERE ",
            unneeded_image!(),
            " ORDER BY unused_since, key"
        ));
        let rows = self.rows(WHAT, query).await?;
        read_all(&rows, WHAT, |columns| {
            Ok(UnusedImage {
                key: columns.text("key")?,
                registry: columns.text("registry")?,
                image: columns.text("image")?,
                bytes: count(columns.number("bytes")?),
                since: columns.optional_time("unused_since")?,
                removing: columns.number("removing")? != 0,
                refusal: columns.optional_text("refusal")?,
            })
        })
    }

    /// Writes down that an image is being removed that nothing needed since `before`; says whether that is so. From
    /// then on no run gets it without building it.
    pub async fn begin_image_removal(&self, key: &str, before: Timestamp) -> Result<bool, Error> {
        let statement = sqlx::query(concat!(
            "UPDATE images SET removing = 1 WHERE key = $1 AND unused_since <= $2 AND ",
            unneeded_image!()
        ))
        .bind(key)
        .bind(before.as_millisecond());
        let done = self.execute("store.begin-image-removal", WHAT, statement).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets an image that is gone from its registry.
    pub async fn end_image_removal(&self, key: &str, removal: &Removal) -> Result<(), Error> {
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query("DELETE FROM images WHERE key = $1 AND removing = 1").bind(key);
        if writing.execute(WHAT, statement).await?.rows_affected() > 0 {
            insert(&mut writing, removal).await?;
        }
        self.commit("store.end-image-removal", WHAT, writing).await
    }

    /// Writes down why a registry does not delete an image, which stays and may be used again.
    pub async fn refuse_image_removal(&self, key: &str, refusal: &str) -> Result<(), Error> {
        let statement = sqlx::query("UPDATE images SET removing = 0, refusal = $2 WHERE key = $1")
            .bind(key)
            .bind(refusal);
        self.execute("store.refuse-image-removal", WHAT, statement).await.map(drop)
    }

    /// What was removed, newest first.
    pub async fn removals(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<Removal>, Error> {
        let query = sqlx::query(
            "SELECT * FROM removals WHERE ($1 IS NULL OR id < $1) ORDER BY id DESC LIMIT $2",
        )
        .bind(after.map(|id| id.to_string()))
        .bind(i64::from(limit));
        let rows = self.rows(WHAT, query).await?;
        read_all(&rows, WHAT, |columns| {
            Ok(Removal {
                id: columns.parsed("id")?,
                at: columns.time("at")?,
                kind: columns.word("kind")?,
                name: columns.text("name")?,
                bytes: count(columns.number("bytes")?),
            })
        })
    }
}

async fn insert(writing: &mut Writing, removal: &Removal) -> Result<(), Error> {
    let statement =
        sqlx::query("INSERT INTO removals (id, at, kind, name, bytes) VALUES ($1, $2, $3, $4, $5)")
            .bind(removal.id.to_string())
            .bind(removal.at.as_millisecond())
            .bind(word(&removal.kind))
            .bind(&removal.name)
            .bind(i64::try_from(removal.bytes).unwrap_or(i64::MAX));
    writing.execute(WHAT, statement).await.map(drop)
}

/// Sizes are positive in the database.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
