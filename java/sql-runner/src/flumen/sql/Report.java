package flumen.sql;

import java.nio.charset.StandardCharsets;

/**
 * What comes of a script: sentences for people, or for programs a line of JSON for each thing, behind a word that no
 * other line of the process begins with; docs/sql.md describes it.
 */
final class Report {
    private static final String BEGINNING = "flumen-sql-report ";

    final boolean isForPrograms;

    Report(boolean isForPrograms) {
        this.isForPrograms = isForPrograms;
    }

    void plan(Statement statement, String what, String plan) {
        if (isForPrograms) {
            record("plan", statement.start, null, plan);
        } else {
            say(statement, what + "\n" + plan);
        }
    }

    void note(Statement statement, String what) {
        if (isForPrograms) {
            record("note", statement.start, null, what);
        } else {
            say(statement, what);
        }
    }

    /** For people it is in what is thrown. */
    void error(Failure failure) {
        if (isForPrograms) {
            record("error", failure.statement.start, failure.place, failure.said);
        }
    }

    /** Nothing follows, so that a reader knows that nothing is missing. */
    void end() {
        if (isForPrograms) {
            System.out.println(BEGINNING + "{\"what\":\"end\"}");
        }
    }

    static void say(Statement statement, String what) {
        System.out.println(statement.start + ": " + what);
    }

    private static void record(String what, Position start, Position place, String text) {
        StringBuilder line = new StringBuilder(BEGINNING).append("{\"what\":\"").append(what).append('"');
        line.append(",\"line\":").append(start.line).append(",\"column\":").append(start.column);
        if (place != null) {
            line.append(",\"atLine\":").append(place.line).append(",\"atColumn\":").append(place.column);
        }
        line.append(",\"text\":\"");
        escape(text, line);
        System.out.println(line.append("\"}"));
    }

    /** In ASCII alone: how other characters are written depends on the locale of the process. */
    private static void escape(String said, StringBuilder line) {
        // Half of a character is none that a reader of JSON takes.
        String text = new String(said.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            if (unit == '"' || unit == '\\') {
                line.append('\\').append(unit);
            } else if (unit < ' ' || unit > '~') {
                line.append(String.format("\\u%04x", (int) unit));
            } else {
                line.append(unit);
            }
        }
    }
}
