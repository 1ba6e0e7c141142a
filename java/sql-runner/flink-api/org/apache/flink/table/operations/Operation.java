package org.apache.flink.table.operations;

public interface Operation {}
