CREATE TABLE projects (
    name        TEXT PRIMARY KEY,
    team        TEXT NOT NULL REFERENCES teams (id),
    document    TEXT NOT NULL,                  -- what its file says, as JSON
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE TABLE project_builds (
    operation   TEXT PRIMARY KEY,               -- which says how far it is, and why it failed
    project     TEXT NOT NULL REFERENCES projects (name),
    number      BIGINT NOT NULL,
    reference   TEXT NOT NULL,
    commit_id   TEXT,
    digest      TEXT,                           -- of the jar, of a build that made one
    size        BIGINT,
    path        TEXT,                           -- where the jar was, below the project's directory
    removed_at  BIGINT,                         -- when nothing of it was left in the cluster
    UNIQUE (project, number)
);
CREATE INDEX project_builds_by_digest ON project_builds (digest);

ALTER TABLE releases ADD COLUMN sources TEXT NOT NULL DEFAULT '[]';  -- the builds of projects that its files came from
