package flumen.sql;

import java.util.regex.Pattern;

/** What went wrong with which statement. The message has all that Flink said, on one line. */
final class Failure extends Exception {
    private static final long serialVersionUID = 1;

    /** What the parser expects where it stops can be hundreds of words; the cause has them. */
    private static final Pattern EXPECTED = Pattern.compile("\\s*Was expecting(:| one of:).*", Pattern.DOTALL);
    private static final Pattern REPEATED = Pattern.compile("([^.]+\\. )\\1+");
    private static final Pattern BREAKS = Pattern.compile("\\s*\\R\\s*");

    Failure(Statement statement, Throwable cause) {
        this(statement, "", cause);
    }

    Failure(Statement statement, String what, Throwable cause) {
        super(statement.start + ": " + what + statement.pieces.mapped(said(cause)), cause);
    }

    Failure(Position place, String what, Throwable cause) {
        super(place + ": " + what, cause);
    }

    private static String said(Throwable failure) {
        StringBuilder said = new StringBuilder();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause.getCause() != null && cause.getCause().toString().equals(cause.getMessage())) {
                // It only says that it has a cause.
                continue;
            }
            String message = cause.getMessage() == null ? cause.getClass().getName() : cause.getMessage();
            String line = BREAKS.matcher(EXPECTED.matcher(message).replaceFirst("")).replaceAll(" ").trim();
            line = REPEATED.matcher(line).replaceAll("$1");
            // Many only repeat what is below them, and are repeated by what is above them.
            if (said.indexOf(line) < 0) {
                if (said.length() > 0) {
                    said.append(said.charAt(said.length() - 1) == '.' ? " " : ": ");
                }
                said.append(line);
            }
        }
        return said.toString();
    }
}
