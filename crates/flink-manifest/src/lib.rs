//! flink-manifest
