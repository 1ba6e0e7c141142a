use flumen_model::TeamId;
use jiff::Timestamp;

use crate::{Error, Store, rows::Columns};

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name of the token.
    pub name: String,
    /// The team whose things it sees.
    pub team: TeamId,
}

impl Store {
    /// The first team and its first token, if there is none yet; says whether they were made.
    pub async fn create_first_token(
        &self,
        team: TeamId,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<bool, Error> {
        const WHAT: &str = "the first token";
        let save = |source| Error::Save { what: WHAT, source };
        let mut transaction = self.write(WHAT).await?;
        let tokens: i64 = sqlx::query_scalar("SELECT count(*) FROM tokens")
            .fetch_one(&mut *transaction)
            .await
            .map_err(|source| Error::Load { what: WHAT, source })?;
        if tokens > 0 {
            return Ok(false);
        }
        sqlx::query("INSERT INTO teams (id, name, created_at) VALUES ($1, 'default', $2)")
            .bind(team.to_string())
            .bind(now.as_millisecond())
            .execute(&mut *transaction)
            .await
            .map_err(save)?;
        sqlx::query(
            "INSERT INTO tokens (hash, name, team, created_at) VALUES ($1, 'admin', $2, $3)",
        )
        .bind(token_hash)
        .bind(team.to_string())
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await
        .map_err(save)?;
        self.commit("store.create-first-token", WHAT, transaction).await?;
        Ok(true)
    }

    /// Replaces the hash of the first token, for when its file was lost.
    pub async fn replace_token(&self, name: &str, token_hash: &str) -> Result<(), Error> {
        let statement =
            sqlx::query("UPDATE tokens SET hash = $2 WHERE name = $1").bind(name).bind(token_hash);
        self.execute("store.replace-token", "a token", statement).await.map(drop)
    }

    /// Who has the token with this hash.
    pub async fn principal(&self, token_hash: &str) -> Result<Option<Principal>, Error> {
        const WHAT: &str = "a token";
        let row = sqlx::query("SELECT name, team FROM tokens WHERE hash = $1")
            .bind(token_hash)
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| Error::Load { what: WHAT, source })?;
        row.map(|row| {
            let columns = Columns::of(&row, WHAT);
            Ok(Principal { name: columns.text("name")?, team: columns.parsed("team")? })
        })
        .transpose()
    }

    /// The team that owns what is there from the start.
    pub async fn first_team(&self) -> Result<Option<TeamId>, Error> {
        const WHAT: &str = "the first team";
        let row = sqlx::query("SELECT id FROM teams ORDER BY created_at LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .map_err(|source| Error::Load { what: WHAT, source })?;
        row.map(|row| Columns::of(&row, WHAT).parsed("id")).transpose()
    }
}
