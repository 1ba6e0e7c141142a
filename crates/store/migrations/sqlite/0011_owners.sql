-- Whose files and images are: who asks for what nothing needs to be removed removes what is of one team alone.
CREATE TABLE artifact_teams (
    digest      TEXT NOT NULL REFERENCES artifacts (digest) ON DELETE CASCADE,
    team        TEXT NOT NULL REFERENCES teams (id),
    PRIMARY KEY (digest, team)
);
INSERT INTO artifact_teams (digest, team)
    SELECT DISTINCT artifacts.digest, releases.team FROM artifacts
    JOIN release_artifacts ON release_artifacts.digest = artifacts.digest
    JOIN releases ON releases.job = release_artifacts.job AND releases.id = release_artifacts.release;

CREATE TABLE image_teams (
    key         TEXT NOT NULL REFERENCES images (key) ON DELETE CASCADE,
    team        TEXT NOT NULL REFERENCES teams (id),
    PRIMARY KEY (key, team)
);
INSERT INTO image_teams (key, team)
    SELECT DISTINCT images.key, runs.team FROM images
    JOIN runs ON runs.image = images.registry || '/' || images.image;

ALTER TABLE removals ADD COLUMN team TEXT;              -- whose it was; unknown of what was of no team or of several
UPDATE removals SET team = (SELECT id FROM teams) WHERE (SELECT count(*) FROM teams) = 1;
