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
        // A start that has nothing to write does not write, so that one with a read-only database can read.
        let tokens = sqlx::query("SELECT name FROM tokens LIMIT 1");
        if self.row(WHAT, tokens).await?.is_some() {
            return Ok(false);
        }
        let mut writing = self.write(WHAT).await?;
        let first = sqlx::query(
            "INSERT INTO teams (id, name, created_at) SELECT $1, 'default', $2 WHERE NOT EXISTS (SELECT 1 FROM tokens)",
        )
        .bind(team.to_string())
        .bind(now.as_millisecond());
        if writing.execute(WHAT, first).await?.rows_affected() == 0 {
            return Ok(false);
        }
        let token = sqlx::query(
            "INSERT INTO tokens (hash, name, team, created_at) VALUES ($1, 'admin', $2, $3)",
        )
        .bind(token_hash)
        .bind(team.to_string())
        .bind(now.as_millisecond());
        writing.execute(WHAT, token).await?;
        self.commit("store.create-first-token", WHAT, writing).await?;
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
        let query = sqlx::query("SELECT name, team FROM tokens WHERE hash = $1").bind(token_hash);
        let row = self.row(WHAT, query).await?;
        row.map(|row| {
            let columns = Columns::of(&row, WHAT);
            Ok(Principal { name: columns.text("name")?, team: columns.parsed("team")? })
        })
        .transpose()
    }

    /// The team that owns what is there from the start.
    pub async fn first_team(&self) -> Result<Option<TeamId>, Error> {
        const WHAT: &str = "the first team";
        let query = sqlx::query("SELECT id FROM teams ORDER BY created_at LIMIT 1");
        let row = self.row(WHAT, query).await?;
        row.map(|row| Columns::of(&row, WHAT).parsed("id")).transpose()
    }
}
