package org.apache.flink.table.api;

public enum ResultKind {}
