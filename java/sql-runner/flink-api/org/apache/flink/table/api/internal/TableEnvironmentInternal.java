package org.apache.flink.table.api.internal;

import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.delegation.Parser;

public interface TableEnvironmentInternal extends TableEnvironment {
    Parser getParser();
}
