-- A step that another operation made needless is skipped.
CREATE TABLE operation_steps_2 (
    operation   TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
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
ALTER TABLE operation_steps_2 RENAME TO operation_steps;
UPDATE operation_steps SET state = 'skipped', finished_at = coalesce(finished_at, started_at)
    WHERE state = 'running' AND operation IN (SELECT id FROM operations WHERE state = 'superseded');
