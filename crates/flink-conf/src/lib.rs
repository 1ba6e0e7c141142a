//! flink-conf
