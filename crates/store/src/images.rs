use jiff::Timestamp;

use crate::{Error, Store, rows::Columns};

const WHAT: &str = "images";

impl Store {
    /// The image that was built for this key, by digest. It may be gone from the registry by now.
    pub async fn image(&self, key: &str) -> Result<Option<String>, Error> {
        let query = sqlx::query("SELECT image FROM images WHERE key = $1").bind(key);
        let row = self.row(WHAT, query).await?;
        row.map(|row| Columns::of(&row, WHAT).text("image")).transpose()
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
