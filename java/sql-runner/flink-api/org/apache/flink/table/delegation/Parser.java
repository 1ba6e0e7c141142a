package org.apache.flink.table.delegation;

import java.util.List;
import org.apache.flink.table.operations.Operation;

public interface Parser {
    List<Operation> parse(String statement);
}
