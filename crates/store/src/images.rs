use jiff::Timestamp;

use crate::{Error, Store};

const WHAT: &str = "images";

impl Store {
    /// The image that was built for this key, by digest. It may be gone from the registry by now.
    pub async fn image(&self, key: &str) -> Result<Option<String>, Error> {
        sqlx::query_scalar("SELECT image FROM images WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| Error::Load { what: WHAT, source })
    }

    /// Remembers the image that was built for this key.
    pub async fn save_image(&self, key: &str, image: &str, now: Timestamp) -> Result<(), Error> {
        let statement = sqlx::query(
            "INSERT INTO images (key, image, created_at) VALUES ($1, $2, $3) \
             ON CONFLICT (key) DO UPDATE SET image = excluded.image",
        )
        .bind(key)
        .bind(image)
        .bind(now.as_millisecond());
        self.execute("store.save-image", WHAT, statement).await.map(drop)
    }
}
