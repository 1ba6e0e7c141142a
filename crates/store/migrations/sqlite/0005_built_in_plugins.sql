-- The jars in the folder `opt` of the base image that its entry point can make plugins.
ALTER TABLE flink_versions ADD COLUMN built_in_plugins TEXT NOT NULL DEFAULT '[]';
