package flumen.sql;

import flumen.sql.Statement.Kind;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.TableEnvironment;

/**
 * Makes the table environment. Flink decides between batch and streaming there and never again, so the mode is the
 * one that holds at the end of the script; other settings before the first statement that is none are given too, as
 * some, like those of the catalog store, are read only here.
 */
final class Beginning {
    private final List<Statement> statements;
    private final Configuration configuration = new Configuration();
    /** What set the mode, if it was the script. */
    private Statement mode;

    Beginning(List<Statement> statements, Surroundings surroundings) {
        this.statements = statements;
        String mode = surroundings.runtimeMode();
        if (mode != null) {
            configuration.setString(Surroundings.RUNTIME_MODE, mode);
        }
    }

    TableEnvironment tables() throws Failure {
        boolean isLeading = true;
        for (int at = 0; at < statements.size(); at++) {
            Statement statement = statements.get(at);
            isLeading &= statement.isSetting();
            boolean isMode = statement.text.equals(Surroundings.RUNTIME_MODE);
            if (statement.kind == Kind.SET && (isLeading || isMode) && !isReset(statement.text, at)) {
                configuration.setString(statement.text, statement.value);
                mode = isMode ? statement : mode;
            }
        }
        try {
            return TableEnvironment.create(configuration);
        } catch (RuntimeException failure) {
            if (mode == null) {
                throw failure;
            }
            throw new Failure(mode, failure);
        }
    }

    /** Whether the script takes back what it set before. */
    private boolean isReset(String key, int after) {
        for (Statement statement : statements.subList(after, statements.size())) {
            if (statement.kind == Kind.RESET && (statement.text.isEmpty() || statement.text.equals(key))) {
                return true;
            }
        }
        return false;
    }
}
