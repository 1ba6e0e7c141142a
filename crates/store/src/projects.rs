use flumen_model::{ProjectName, ProjectSpec, TeamId};
use jiff::Timestamp;

use crate::{
    Error, Store,
    rows::{Columns, json, read_all},
};

/// Sources in a git repository, with the version that an edit must name.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// The team that owns it.
    pub team: TeamId,
    /// What its file says.
    pub spec: ProjectSpec,
    /// Counts the changes.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

const WHAT: &str = "projects";

impl Store {
    /// Creates or replaces a project of the team; one that is there only in this version, if one is named. Says whether
    /// anything was written, which is not so for one that says the same already, or is another team's.
    pub async fn save_project(
        &self,
        team: TeamId,
        spec: &ProjectSpec,
        version: Option<i64>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let statement = sqlx::query(
            "INSERT INTO projects (name, team, document, version, created_at, updated_at) VALUES ($1, $2, $3, 1, $4, $4) \
             ON CONFLICT (name) DO UPDATE SET document = excluded.document, version = projects.version + 1, \
             updated_at = excluded.updated_at WHERE projects.team = excluded.team \
             AND projects.document <> excluded.document AND ($5 IS NULL OR projects.version = $5)",
        )
        .bind(spec.name.as_str())
        .bind(team.to_string())
        .bind(json(spec))
        .bind(now.as_millisecond())
        .bind(version);
        let done = self.execute("store.save-project", WHAT, statement).await?;
        Ok(done.rows_affected() > 0)
    }

    /// The projects of a team by name.
    pub async fn projects(&self, team: TeamId) -> Result<Vec<Project>, Error> {
        let query = sqlx::query("SELECT * FROM projects WHERE team = $1 ORDER BY name")
            .bind(team.to_string());
        read_all(&self.rows(WHAT, query).await?, WHAT, read)
    }

    /// One project.
    pub async fn project(&self, name: &ProjectName) -> Result<Option<Project>, Error> {
        let query = sqlx::query("SELECT * FROM projects WHERE name = $1").bind(name.as_str());
        self.row(WHAT, query).await?.map(|row| read(&Columns::of(&row, WHAT))).transpose()
    }

    /// Forgets a project and its builds, unless something of one may still be in the cluster; says whether it did.
    pub async fn delete_project(&self, name: &ProjectName) -> Result<bool, Error> {
        let mut writing = self.write(WHAT).await?;
        let builds = sqlx::query(
            "DELETE FROM project_builds WHERE project = $1 AND NOT EXISTS \
             (SELECT 1 FROM project_builds AS other WHERE other.project = $1 AND other.removed_at IS NULL)",
        )
        .bind(name.as_str());
        writing.execute(WHAT, builds).await?;
        let project = sqlx::query(
            "DELETE FROM projects WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM project_builds WHERE project = $1)",
        )
        .bind(name.as_str());
        if writing.execute(WHAT, project).await?.rows_affected() == 0 {
            return Ok(false);
        }
        self.commit("store.delete-project", WHAT, writing).await.map(|()| true)
    }
}

fn read(columns: &Columns<'_>) -> Result<Project, Error> {
    Ok(Project {
        team: columns.parsed("team")?,
        spec: columns.json("document")?,
        version: columns.number("version")?,
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    })
}
