package flumen.sql;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UnsupportedEncodingException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Comparator;
import java.util.TreeSet;

/** Secrets that the script names, as files {@code NAME/KEY} of a directory. What was read is shown by nothing. */
final class Secrets {
    /** Where Flumen has them mounted. */
    static final String DIRECTORY = "/opt/flumen/secrets";

    private static final String MASK = "******";

    private final Path directory;
    /** What is not shown, the longest first, as one may be a part of another. */
    private final TreeSet<String> hidden =
            new TreeSet<>(Comparator.comparing(String::length).reversed().thenComparing(Comparator.naturalOrder()));

    Secrets(String directory) {
        this.directory = Paths.get(directory);
    }

    /** The secret, ready to stand between quotes. */
    String quoted(String name, Position place) throws Failure {
        Path file = directory.resolve(name);
        String secret;
        try {
            byte[] bytes = Files.readAllBytes(file);
            secret = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException why) {
            throw new Failure(place, "the secret " + name + " is no text in UTF-8", why);
        } catch (IOException why) {
            String problem = "the secret " + name + " cannot be read from " + file
                    + ": is there such a Secret with such an entry, and is it mounted there?";
            throw new Failure(place, problem, why);
        }
        // Editors and echo end files so.
        secret = secret.replaceFirst("\\r?\\n\\z", "");
        hide(secret);
        for (String line : secret.split("\\R")) {
            hide(line.trim());
        }
        return doubled(secret);
    }

    private void hide(String secret) {
        if (!secret.isEmpty()) {
            hidden.add(secret);
            hidden.add(doubled(secret));
        }
    }

    private static String doubled(String text) {
        return text.replace("'", "''");
    }

    String masked(String text) {
        String masked = text;
        for (String secret : hidden) {
            masked = masked.replace(secret, MASK);
        }
        return masked;
    }

    /** The failure, or one that says the same where that would show a secret. */
    Exception masked(Exception failure) {
        return shows(failure) ? new Masked(failure, this) : failure;
    }

    private boolean shows(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String message = String.valueOf(cause.getMessage());
            if (!masked(message).equals(message)) {
                return true;
            }
            for (Throwable suppressed : cause.getSuppressed()) {
                if (shows(suppressed)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Writes lines on without the secrets in them. */
    PrintStream masking(PrintStream out) throws UnsupportedEncodingException {
        return hidden.isEmpty() ? out : new PrintStream(new Lines(out), true, "UTF-8");
    }

    private final class Lines extends OutputStream {
        private final PrintStream out;
        private final ByteArrayOutputStream line = new ByteArrayOutputStream();

        Lines(PrintStream out) {
            this.out = out;
        }

        @Override
        public synchronized void write(int next) {
            line.write(next);
            if (next == '\n') {
                pass();
            }
        }

        /** Half a line waits for the rest of it: a secret may be cut in two. */
        @Override
        public void flush() {
            out.flush();
        }

        private void pass() {
            out.print(masked(new String(line.toByteArray(), StandardCharsets.UTF_8)));
            line.reset();
        }
    }

    /** What another failure said, and its causes. */
    private static final class Masked extends Exception {
        private static final long serialVersionUID = 1;

        private final String name;

        Masked(Throwable failure, Secrets secrets) {
            super(
                    failure.getMessage() == null ? null : secrets.masked(failure.getMessage()),
                    failure.getCause() == null ? null : new Masked(failure.getCause(), secrets));
            name = failure.getClass().getName();
            setStackTrace(failure.getStackTrace());
            for (Throwable suppressed : failure.getSuppressed()) {
                addSuppressed(new Masked(suppressed, secrets));
            }
        }

        @Override
        public String toString() {
            return getMessage() == null ? name : name + ": " + getMessage();
        }
    }
}
