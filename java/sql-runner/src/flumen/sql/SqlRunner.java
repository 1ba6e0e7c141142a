package flumen.sql;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/**
 * The main class of a SQL job: {@code SqlRunner [--explain] [--secrets DIRECTORY] FILE}, or
 * {@code classpath:RESOURCE} for the file.
 *
 * <p>It throws what went wrong, so that a Flink application fails and a JVM of its own ends with 1.
 */
public final class SqlRunner {
    private static final String EXPLAIN = "--explain";
    private static final String SECRETS = "--secrets";

    private SqlRunner() {}

    public static void main(String[] arguments) throws Exception {
        boolean explains = false;
        String directory = Secrets.DIRECTORY;
        String source = null;
        for (Iterator<String> rest = Arrays.asList(arguments).iterator(); rest.hasNext(); ) {
            String argument = rest.next();
            if (argument.equals(EXPLAIN)) {
                explains = true;
            } else if (argument.equals(SECRETS) && rest.hasNext()) {
                directory = rest.next();
            } else if (source == null && !argument.startsWith("-")) {
                source = argument;
            } else {
                throw misused(argument + " is one argument too many");
            }
        }
        if (source == null) {
            throw misused("the script is missing");
        }
        Secrets secrets = new Secrets(directory);
        List<Statement> statements = ScriptFile.read(source, secrets);
        PrintStream out = System.out;
        PrintStream masking = secrets.masking(out);
        System.setOut(masking);
        try {
            new Run(statements, explains).run();
        } catch (Exception failure) {
            throw secrets.masked(failure);
        } finally {
            System.setOut(out);
        }
    }

    private static IllegalArgumentException misused(String why) {
        return new IllegalArgumentException(
                why + ": expected [" + EXPLAIN + "] [" + SECRETS + " DIRECTORY] FILE, or classpath:RESOURCE for it");
    }
}
