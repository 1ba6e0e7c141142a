package org.apache.flink.table.catalog;

public interface Catalog {}
