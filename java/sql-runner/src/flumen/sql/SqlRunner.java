package flumen.sql;

import java.util.List;

/**
 * The main class of a SQL job: {@code SqlRunner [--explain] FILE}, or {@code classpath:RESOURCE}.
 *
 * <p>It throws what went wrong, so that a Flink application fails and a JVM of its own ends with 1.
 */
public final class SqlRunner {
    private static final String EXPLAIN = "--explain";

    private SqlRunner() {}

    public static void main(String[] arguments) throws Exception {
        boolean explains = false;
        String source = null;
        for (String argument : arguments) {
            if (argument.equals(EXPLAIN)) {
                explains = true;
            } else if (source == null && !argument.startsWith("-")) {
                source = argument;
            } else {
                throw misused(argument + " is one argument too many");
            }
        }
        if (source == null) {
            throw misused("the script is missing");
        }
        List<Statement> statements = ScriptFile.read(source);
        new Run(statements, explains).run();
    }

    private static IllegalArgumentException misused(String why) {
        return new IllegalArgumentException(
                why + ": expected [" + EXPLAIN + "] FILE, or [" + EXPLAIN + "] classpath:RESOURCE");
    }
}
