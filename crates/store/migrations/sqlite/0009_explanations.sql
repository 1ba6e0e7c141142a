-- Pods in which Flink explains scripts, each from before it is created until it is deleted.
CREATE TABLE explanations (
    name        TEXT PRIMARY KEY,                       -- that of the pod and its ConfigMap
    team        TEXT NOT NULL REFERENCES teams (id),
    principal   TEXT NOT NULL,
    server      TEXT NOT NULL,                          -- a UUID of the process that waits for it
    cluster     TEXT NOT NULL,
    namespace   TEXT NOT NULL,
    image       TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL                         -- nobody waits for it any more
);
CREATE INDEX explanations_by_image ON explanations (image);
