-- A check cannot be altered in SQLite, so the table is made anew; its steps go with it, for they name it.
CREATE TABLE operations_2 (
    id          TEXT PRIMARY KEY,
    team        TEXT NOT NULL REFERENCES teams (id),
    job         TEXT REFERENCES jobs (id) ON DELETE SET NULL,
    environment TEXT,
    subject     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    request     TEXT,                           -- what was asked for, while the job does not say it
    principal   TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'superseded', 'canceled')),
    error       TEXT,
    refusal     TEXT,                           -- of a failure that a request would be refused for: what it would be told
    outcome     TEXT,                           -- of an apply whose release was prepared: what it changed
    created_at  BIGINT NOT NULL,
    finished_at BIGINT
);
INSERT INTO operations_2 (id, team, job, environment, subject, kind, request, principal, state, error, created_at, finished_at)
    SELECT id, team, job, environment, subject, kind, request, principal, state, error, created_at, finished_at FROM operations;
CREATE TABLE operation_steps_2 (
    operation   TEXT NOT NULL REFERENCES operations_2 (id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'skipped')),
    detail      TEXT,
    error       TEXT,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (operation, position)
);
INSERT INTO operation_steps_2 (operation, position, name, state, detail, error, started_at, finished_at)
    SELECT operation, position, name, state, detail, error, started_at, finished_at FROM operation_steps;
DROP TABLE operation_steps;
DROP TABLE operations;
ALTER TABLE operations_2 RENAME TO operations;
ALTER TABLE operation_steps_2 RENAME TO operation_steps;
CREATE INDEX operations_by_job ON operations (job, created_at);
CREATE INDEX operations_by_subject ON operations (environment, subject, created_at);
