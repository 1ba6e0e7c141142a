//! flink-rest
