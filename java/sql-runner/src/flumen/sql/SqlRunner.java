package flumen.sql;

import java.util.List;

/**
 * The main class of a SQL job: {@code SqlRunner [--explain [--json]] FILE}, or {@code classpath:RESOURCE}.
 *
 * <p>It throws what went wrong, so that a Flink application fails and a JVM of its own ends with 1.
 */
public final class SqlRunner {
    private static final String EXPLAIN = "--explain";
    private static final String JSON = "--json";

    private SqlRunner() {}

    public static void main(String[] arguments) throws Exception {
        boolean explains = false;
        boolean isForPrograms = false;
        String source = null;
        for (String argument : arguments) {
            if (argument.equals(EXPLAIN)) {
                explains = true;
            } else if (argument.equals(JSON)) {
                isForPrograms = true;
            } else if (source == null && !argument.startsWith("-")) {
                source = argument;
            } else {
                throw misused(argument + " is one argument too many");
            }
        }
        if (source == null) {
            throw misused("the script is missing");
        }
        if (isForPrograms && !explains) {
            throw misused(JSON + " goes with " + EXPLAIN + " only");
        }
        List<Statement> statements = ScriptFile.read(source);
        Report report = new Report(isForPrograms);
        Failure failed = null;
        try {
            new Run(statements, explains, report).run();
        } catch (Failure failure) {
            report.error(failure);
            failed = failure;
        }
        report.end();
        if (failed != null) {
            throw failed;
        }
    }

    private static IllegalArgumentException misused(String why) {
        String options = "[" + EXPLAIN + " [" + JSON + "]] ";
        return new IllegalArgumentException(
                why + ": expected " + options + "FILE, or " + options + "classpath:RESOURCE");
    }
}
