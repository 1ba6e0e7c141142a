use flumen_model::Digest;
use jiff::Timestamp;

use crate::{Error, Store, rows::Columns};

const WHAT: &str = "artifacts";

impl Store {
    /// Remembers that the artifact's file is complete.
    pub async fn save_artifact(
        &self,
        digest: &Digest,
        size: u64,
        now: Timestamp,
    ) -> Result<(), Error> {
        let statement = sqlx::query("INSERT INTO artifacts (digest, size, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(digest.as_str())
            .bind(i64::try_from(size).unwrap_or(i64::MAX))
            .bind(now.as_millisecond());
        self.execute("store.save-artifact", WHAT, statement).await.map(drop)
    }

    /// The size of the artifact in bytes, if its file is complete.
    pub async fn artifact_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let query =
            sqlx::query("SELECT size FROM artifacts WHERE digest = $1").bind(digest.as_str());
        let Some(row) = self.row(WHAT, query).await? else { return Ok(None) };
        Ok(u64::try_from(Columns::of(&row, WHAT).number("size")?).ok())
    }
}
