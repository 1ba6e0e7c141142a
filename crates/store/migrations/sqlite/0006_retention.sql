-- What a release needs is looked up by content, so that files that nothing needs can be told.
CREATE TABLE release_artifacts (
    job         TEXT NOT NULL,
    release     TEXT NOT NULL,
    digest      TEXT NOT NULL,
    PRIMARY KEY (job, release, digest),
    FOREIGN KEY (job, release) REFERENCES releases (job, id) ON DELETE CASCADE
);
CREATE INDEX release_artifacts_by_digest ON release_artifacts (digest);
INSERT INTO release_artifacts (job, release, digest)
    SELECT DISTINCT releases.job, releases.id, json_extract(artifact.value, '$.digest')
    FROM releases, json_each(releases.content, '$.artifacts') AS artifact;

ALTER TABLE artifacts ADD COLUMN unused_since BIGINT;   -- when it was first seen that nothing needs it

ALTER TABLE images ADD COLUMN registry TEXT;            -- unknown for some that older versions made: these stay
ALTER TABLE images ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE images ADD COLUMN unused_since BIGINT;
ALTER TABLE images ADD COLUMN removing BIGINT NOT NULL DEFAULT 0;
ALTER TABLE images ADD COLUMN refusal TEXT;             -- why its registry does not delete it
UPDATE images SET registry =
    (SELECT substr(runs.image, 1, length(runs.image) - length(images.image) - 1) FROM runs
     WHERE runs.image LIKE '%/' || images.image LIMIT 1);

ALTER TABLE runs ADD COLUMN base TEXT;                  -- the base image, by digest, without the registry
CREATE INDEX runs_by_image ON runs (image);

CREATE TABLE removals (
    id          TEXT PRIMARY KEY,                       -- a UUID of version 7
    at          BIGINT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('release', 'artifact', 'image')),
    name        TEXT NOT NULL,
    bytes       BIGINT NOT NULL
);
