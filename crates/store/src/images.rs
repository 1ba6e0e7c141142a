use flumen_model::TeamId;
use jiff::Timestamp;

use crate::{Error, Store, rows::Columns};

const WHAT: &str = "images";

impl Store {
    /// The image that was built for this key, by digest. It may be gone from the registry by now; one that is being
    /// removed is none.
    pub async fn image(&self, key: &str) -> Result<Option<String>, Error> {
        let query =
            sqlx::query("SELECT image FROM images WHERE key = $1 AND removing = 0").bind(key);
        let row = self.row(WHAT, query).await?;
        row.map(|row| Columns::of(&row, WHAT).text("image")).transpose()
    }

    /// Remembers the image that was built for this key and team, for which so many bytes were sent.
    pub async fn save_image(
        &self,
        (key, team): (&str, TeamId),
        (registry, image): (&str, &str),
        bytes: u64,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut writing = self.write(WHAT).await?;
        let statement = sqlx::query(
            "INSERT INTO images (key, registry, image, bytes, created_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (key) DO UPDATE SET image = excluded.image, registry = excluded.registry, unused_since = NULL, \
             removing = 0, refusal = NULL, \
             bytes = CASE WHEN excluded.bytes > images.bytes THEN excluded.bytes ELSE images.bytes END",
        )
        .bind(key)
        .bind(registry)
        .bind(image)
        .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
        .bind(now.as_millisecond());
        writing.execute(WHAT, statement).await?;
        let statement = sqlx::query(
            "INSERT INTO image_teams (key, team) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(key)
        .bind(team.to_string());
        writing.execute(WHAT, statement).await?;
        self.commit("store.save-image", WHAT, writing).await
    }
}
