package flumen.sql;

/** A statement of the script, and where it begins there. */
final class Statement {
    /** What is to be done with it; docs/sql.md has the list. */
    enum Kind {
        SET,
        RESET,
        INSERT,
        QUERY,
        CHANGE,
        CALL,
        SHOW,
        CATALOG,
        SESSION
    }

    final Kind kind;
    final Position start;
    /** The statement; the key of {@code SET} and {@code RESET}. */
    final String text;
    /** The value of {@code SET}. */
    final String value;

    Statement(Kind kind, Position start, String text, String value) {
        this.kind = kind;
        this.start = start;
        this.text = text;
        this.value = value;
    }

    /** Whether nothing that follows it depends on it. */
    boolean isEnd() {
        return kind == Kind.INSERT || kind == Kind.QUERY || kind == Kind.CHANGE || kind == Kind.SHOW;
    }

    boolean isSetting() {
        return kind == Kind.SET || kind == Kind.RESET;
    }
}
