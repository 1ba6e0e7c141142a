package flumen.sql;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Reads the file that {@code flumen_sql::runner_file} writes; docs/sql.md describes it. */
final class ScriptFile {
    private static final String RESOURCE = "classpath:";
    private static final String BEGINNING = "flumen-sql 1 ";

    private static final String VERBATIM = "t";
    private static final String SECRET = "s";
    /** {@code ${secret:} and {@code }}, between which a secret has its name. */
    private static final int BEFORE_NAME = 9;
    private static final int AFTER_NAME = 1;

    private final byte[] bytes;
    private final Secrets secrets;
    private int at;

    private ScriptFile(byte[] bytes, Secrets secrets) {
        this.bytes = bytes;
        this.secrets = secrets;
    }

    static List<Statement> read(String source, Secrets secrets) throws IOException, Failure {
        try {
            return new ScriptFile(bytesOf(source), secrets).statements();
        } catch (IOException | RuntimeException why) {
            throw new IOException("could not read the script " + source + ": " + why, why);
        }
    }

    private static byte[] bytesOf(String source) throws IOException {
        if (!source.startsWith(RESOURCE)) {
            return Files.readAllBytes(Paths.get(source));
        }
        // What lies in usrlib is seen by this loader alone.
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        try (InputStream in = loader.getResourceAsStream(source.substring(RESOURCE.length()))) {
            if (in == null) {
                throw new FileNotFoundException("it is in no jar on the class path");
            }
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            byte[] buffer = new byte[8192];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                all.write(buffer, 0, read);
            }
            return all.toByteArray();
        }
    }

    private List<Statement> statements() throws Failure {
        String head = line();
        if (!head.startsWith(BEGINNING)) {
            throw new IllegalArgumentException(
                    "it is no script that this runner reads: expected it to begin with " + BEGINNING.trim());
        }
        int count = Integer.parseInt(head.substring(BEGINNING.length()));
        List<Statement> statements = new ArrayList<>();
        while (statements.size() < count) {
            statements.add(statement());
        }
        if (at != bytes.length) {
            throw new IllegalArgumentException("something follows its " + count + " statements");
        }
        return statements;
    }

    private Statement statement() throws Failure {
        String[] head = line().split(" ");
        Statement.Kind kind = Statement.Kind.valueOf(head[0].toUpperCase(Locale.ROOT));
        Position start = new Position(Integer.parseInt(head[1]), Integer.parseInt(head[2]));
        int first = at;
        String text = text(Integer.parseInt(head[3]));
        boolean isSet = kind == Statement.Kind.SET;
        String value = isSet ? text(Integer.parseInt(head[4])) : null;
        Pieces pieces = isSet || head.length == 4
                ? new Pieces().add(text, start, true)
                : pieces(Arrays.copyOfRange(head, 4, head.length), first);
        return new Statement(kind, start, pieces, value);
    }

    /** The pieces of the text that begins at this byte, each of which is described as LETTER:LENGTH:LINE:COLUMN. */
    private Pieces pieces(String[] described, int first) throws Failure {
        Pieces pieces = new Pieces();
        int from = first;
        for (String one : described) {
            String[] parts = one.split(":");
            int length = Integer.parseInt(parts[1]);
            Position place = new Position(Integer.parseInt(parts[2]), Integer.parseInt(parts[3]));
            String text = new String(bytes, from, length, StandardCharsets.UTF_8);
            from += length;
            if (parts[0].equals(SECRET)) {
                text = secrets.quoted(text.substring(BEFORE_NAME, text.length() - AFTER_NAME), place);
            }
            pieces.add(text, place, parts[0].equals(VERBATIM));
        }
        // Behind the text there is a line break.
        if (from + 1 != at) {
            throw new IllegalArgumentException("its pieces are not those of its text");
        }
        return pieces;
    }

    private String line() {
        int end = at;
        while (end < bytes.length && bytes[end] != '\n') {
            end++;
        }
        return text(end - at);
    }

    /** A text of so many bytes, and the line break behind it. */
    private String text(int length) {
        if (length < 0 || length >= bytes.length - at || bytes[at + length] != '\n') {
            throw new IllegalArgumentException("it is cut off or was changed by hand");
        }
        String text = new String(bytes, at, length, StandardCharsets.UTF_8);
        at += length + 1;
        return text;
    }
}
