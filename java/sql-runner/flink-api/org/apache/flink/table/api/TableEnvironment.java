package org.apache.flink.table.api;

import java.util.Optional;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.catalog.Catalog;

public interface TableEnvironment {
    static TableEnvironment create(Configuration configuration) {
        throw new UnsupportedOperationException();
    }

    StatementSet createStatementSet();

    TableResult executeSql(String statement);

    String explainSql(String statement, ExplainDetail... details);

    Optional<Catalog> getCatalog(String name);

    TableConfig getConfig();
}
