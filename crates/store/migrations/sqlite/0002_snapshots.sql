-- A check cannot be altered in SQLite, so the table is made anew.
CREATE TABLE runs_2 (
    id          TEXT PRIMARY KEY,
    job         TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    team        TEXT NOT NULL REFERENCES teams (id),
    release_id  TEXT NOT NULL,
    environment TEXT NOT NULL,
    start       TEXT NOT NULL,                  -- what it was to start from, and how
    restored    TEXT,                           -- the snapshot that was found for that
    plan        TEXT,                           -- what its configuration comes to, once rendered
    image       TEXT,
    objects     TEXT,
    outcome     TEXT CHECK (outcome IN ('finished', 'stopped', 'failed', 'canceled', 'unknown')),
    reason      TEXT,
    exceptions  TEXT,
    created_at  BIGINT NOT NULL,
    running_at  BIGINT,
    ended_at    BIGINT,
    UNIQUE (job, number)
);
INSERT INTO runs_2 (id, job, number, team, release_id, environment, start, image, objects, outcome, reason, exceptions,
                    created_at, running_at, ended_at)
    SELECT id, job, number, team, release_id, environment, '{"from":{"kind":"nothing"}}', image, objects, outcome, reason,
           exceptions, created_at, running_at, ended_at FROM runs;
DROP TABLE runs;
ALTER TABLE runs_2 RENAME TO runs;

CREATE TABLE snapshots (
    id           TEXT PRIMARY KEY,              -- a UUID of version 7
    team         TEXT NOT NULL REFERENCES teams (id),
    environment  TEXT NOT NULL,
    job          TEXT REFERENCES jobs (id) ON DELETE SET NULL,
    job_name     TEXT NOT NULL,
    run          TEXT NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('checkpoint', 'savepoint')),
    cause        TEXT NOT NULL CHECK (cause IN ('periodic', 'savepoint', 'stop', 'other')),
    operation    TEXT,
    number       BIGINT,                        -- Flink's number of it in the job
    format       TEXT,
    path         TEXT NOT NULL,
    size_bytes   BIGINT,
    duration_ms  BIGINT,
    triggered_at BIGINT,
    completed_at BIGINT NOT NULL,
    UNIQUE (run, path)
);
CREATE INDEX snapshots_by_job ON snapshots (job, completed_at);
