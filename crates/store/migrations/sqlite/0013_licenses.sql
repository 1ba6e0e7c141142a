ALTER TABLE artifacts ADD COLUMN licenses TEXT NOT NULL DEFAULT '[]';   -- what its POM says, of one from a Maven repository
