package flumen.sql;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Reads the file that {@code flumen_sql::runner_file} writes; docs/sql.md describes it. */
final class ScriptFile {
    private static final String RESOURCE = "classpath:";
    private static final String BEGINNING = "flumen-sql 1 ";

    private final byte[] bytes;
    private int at;

    private ScriptFile(byte[] bytes) {
        this.bytes = bytes;
    }

    static List<Statement> read(String source) throws IOException {
        try {
            return new ScriptFile(bytesOf(source)).statements();
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

    private List<Statement> statements() {
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

    private Statement statement() {
        String[] head = line().split(" ");
        Statement.Kind kind = Statement.Kind.valueOf(head[0].toUpperCase(Locale.ROOT));
        Position start = new Position(Integer.parseInt(head[1]), Integer.parseInt(head[2]));
        String text = text(Integer.parseInt(head[3]));
        String value = kind == Statement.Kind.SET ? text(Integer.parseInt(head[4])) : null;
        return new Statement(kind, start, text, value);
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
