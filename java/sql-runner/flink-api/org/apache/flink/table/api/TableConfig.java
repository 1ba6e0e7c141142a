package org.apache.flink.table.api;

import org.apache.flink.configuration.Configuration;

public class TableConfig {
    public native Configuration getConfiguration();
}
