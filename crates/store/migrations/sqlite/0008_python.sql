-- What Python the base image has, as JSON; none where there is none with PyFlink.
ALTER TABLE flink_versions ADD COLUMN python TEXT;
