use flumen_model::{Digest, TeamId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, query::Query, sqlite::SqliteArguments};

use crate::{
    Error, Store,
    rows::{Columns, json},
};

const WHAT: &str = "artifacts";

/// A licence as the POM of an artifact names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactLicense {
    /// Its name in words; may be empty.
    pub name: String,
    /// Where its text is; may be empty.
    pub url: String,
}

impl Store {
    /// Remembers that the artifact's file is complete.
    pub async fn save_artifact(
        &self,
        digest: &Digest,
        size: u64,
        now: Timestamp,
    ) -> Result<(), Error> {
        let statement = sqlx::query("INSERT INTO artifacts (digest, size, created_at) VALUES ($1, $2, $3) ON CONFLICT (digest) DO UPDATE SET unused_since = NULL")
            .bind(digest.as_str())
            .bind(i64::try_from(size).unwrap_or(i64::MAX))
            .bind(now.as_millisecond());
        self.execute("store.save-artifact", WHAT, statement).await.map(drop)
    }

    /// Remembers that the team has uploaded the artifact, or would have if it had not been there.
    pub async fn own_artifact(&self, digest: &Digest, team: TeamId) -> Result<(), Error> {
        let team = team.to_string();
        self.execute("store.own-artifact", WHAT, own(digest, &team)).await.map(drop)
    }

    /// The size of the artifact in bytes, if its file is complete. Whoever asks may rely on it: the time in which
    /// nothing needs it begins anew.
    pub async fn artifact_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let Some((size, is_unused)) = self.artifact_row(digest).await? else { return Ok(None) };
        if !is_unused {
            return Ok(Some(size));
        }
        let statement = sqlx::query("UPDATE artifacts SET unused_since = NULL WHERE digest = $1")
            .bind(digest.as_str());
        let done = self.execute("store.use-artifact", WHAT, statement).await?;
        // It may have been removed between the two.
        Ok((done.rows_affected() > 0).then_some(size))
    }

    /// Remembers what POMs say of the licences of artifacts, where they say something new.
    pub async fn save_licenses(
        &self,
        said: &[(Digest, Vec<ArtifactLicense>)],
    ) -> Result<(), Error> {
        let mut new = Vec::new();
        for (digest, licenses) in said {
            if !licenses.is_empty() && self.artifact_licenses(digest).await? != *licenses {
                new.push((digest, licenses));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let mut writing = self.write(WHAT).await?;
        for (digest, licenses) in new {
            let statement = sqlx::query("UPDATE artifacts SET licenses = $2 WHERE digest = $1")
                .bind(digest.as_str())
                .bind(json(licenses));
            writing.execute(WHAT, statement).await?;
        }
        self.commit("store.save-licenses", WHAT, writing).await
    }

    /// What the POM of the artifact said of its licences, if it came from a Maven repository and said something.
    pub async fn artifact_licenses(&self, digest: &Digest) -> Result<Vec<ArtifactLicense>, Error> {
        let query =
            sqlx::query("SELECT licenses FROM artifacts WHERE digest = $1").bind(digest.as_str());
        let row = self.row(WHAT, query).await?;
        Ok(row.map(|row| Columns::of(&row, WHAT).json("licenses")).transpose()?.unwrap_or_default())
    }

    /// Whether the artifact is known, without relying on it.
    pub async fn knows_artifact(&self, digest: &Digest) -> Result<bool, Error> {
        Ok(self.artifact_row(digest).await?.is_some())
    }

    async fn artifact_row(&self, digest: &Digest) -> Result<Option<(u64, bool)>, Error> {
        let query = sqlx::query("SELECT size, unused_since FROM artifacts WHERE digest = $1")
            .bind(digest.as_str());
        let Some(row) = self.row(WHAT, query).await? else { return Ok(None) };
        let columns = Columns::of(&row, WHAT);
        let size = u64::try_from(columns.number("size")?).unwrap_or_default();
        Ok(Some((size, columns.optional_number("unused_since")?.is_some())))
    }
}

/// Remembers whose an artifact is, if it is there.
pub(crate) fn own<'q>(digest: &'q Digest, team: &'q str) -> Query<'q, Sqlite, SqliteArguments> {
    sqlx::query(
        "INSERT INTO artifact_teams (digest, team) SELECT digest, $2 FROM artifacts WHERE digest = $1 ON CONFLICT DO NOTHING",
    )
    .bind(digest.as_str())
    .bind(team)
}
