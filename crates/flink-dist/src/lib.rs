//! flink-dist
