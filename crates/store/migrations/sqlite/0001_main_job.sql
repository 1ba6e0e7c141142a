-- Times are milliseconds since 1970 (UTC); documents are JSON text.

CREATE TABLE teams (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL
);

CREATE TABLE tokens (
    hash        TEXT PRIMARY KEY,               -- SHA-256 of the token, hex
    name        TEXT NOT NULL,
    team        TEXT NOT NULL REFERENCES teams (id),
    created_at  BIGINT NOT NULL
);

CREATE TABLE clusters (
    name        TEXT PRIMARY KEY,
    team        TEXT NOT NULL REFERENCES teams (id),
    document    TEXT NOT NULL
);

CREATE TABLE environments (
    name        TEXT PRIMARY KEY,
    team        TEXT NOT NULL REFERENCES teams (id),
    document    TEXT NOT NULL,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE flink_versions (
    version     TEXT NOT NULL,
    environment TEXT NOT NULL REFERENCES environments (name),
    team        TEXT NOT NULL REFERENCES teams (id),
    image       TEXT NOT NULL,                  -- reference by digest
    source      TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (version, environment)
);

CREATE TABLE jobs (
    id             TEXT PRIMARY KEY,
    team           TEXT NOT NULL REFERENCES teams (id),
    environment    TEXT NOT NULL REFERENCES environments (name),
    name           TEXT NOT NULL,
    mode           TEXT NOT NULL CHECK (mode IN ('application', 'session')),
    session        TEXT,
    cluster        TEXT NOT NULL,
    namespace      TEXT NOT NULL,
    cluster_id     TEXT NOT NULL,
    spec           TEXT NOT NULL,
    release_id     TEXT NOT NULL,
    desired        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('new', 'starting', 'live', 'ending', 'ended', 'deleted')),
    status         TEXT NOT NULL,
    version        BIGINT NOT NULL,             -- counts what users change
    status_version BIGINT NOT NULL,             -- counts what Flumen changes
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (environment, name),
    UNIQUE (cluster, namespace, cluster_id)
);

CREATE TABLE releases (
    id          TEXT NOT NULL,
    job         TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    team        TEXT NOT NULL REFERENCES teams (id),
    content     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    PRIMARY KEY (job, id),
    UNIQUE (job, number)
);

CREATE TABLE runs (
    id          TEXT PRIMARY KEY,
    job         TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    team        TEXT NOT NULL REFERENCES teams (id),
    release_id  TEXT NOT NULL,
    environment TEXT NOT NULL,
    image       TEXT,
    objects     TEXT,
    outcome     TEXT CHECK (outcome IN ('finished', 'failed', 'canceled', 'unknown')),
    reason      TEXT,
    exceptions  TEXT,
    created_at  BIGINT NOT NULL,
    running_at  BIGINT,
    ended_at    BIGINT,
    UNIQUE (job, number)
);

CREATE TABLE operations (
    id          TEXT PRIMARY KEY,
    team        TEXT NOT NULL REFERENCES teams (id),
    job         TEXT REFERENCES jobs (id) ON DELETE SET NULL,
    environment TEXT,
    subject     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    request     TEXT,                           -- what was asked for, where the job does not say it
    principal   TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'superseded')),
    error       TEXT,
    created_at  BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX operations_by_job ON operations (job, created_at);

CREATE TABLE operation_steps (
    operation   TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    detail      TEXT,
    error       TEXT,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (operation, position)
);

CREATE TABLE idempotency_keys (
    principal   TEXT NOT NULL,
    key         TEXT NOT NULL,
    request     TEXT NOT NULL,
    operation   TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (principal, key)
);

CREATE TABLE job_events (
    id          TEXT PRIMARY KEY,               -- a UUID of version 7, which sorts by time
    job         TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    at          BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    message     TEXT NOT NULL
);
CREATE INDEX job_events_by_job ON job_events (job, id);

CREATE TABLE artifacts (
    digest      TEXT PRIMARY KEY,
    size        BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE images (
    key         TEXT PRIMARY KEY,               -- target repository, base digest and artifacts, hashed
    image       TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
