-- The files that the pods of the run fetch, as JSON; none where its image has them.
ALTER TABLE runs ADD COLUMN delivery TEXT;
