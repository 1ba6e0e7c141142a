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
    /** What {@link #text} is made of. */
    final Pieces pieces;
    /** The statement; the key of {@code SET} and {@code RESET}. */
    final String text;
    /** The value of {@code SET}. */
    final String value;

    Statement(Kind kind, Position start, Pieces pieces, String value) {
        this.kind = kind;
        this.start = start;
        this.pieces = pieces;
        this.text = pieces.text();
        this.value = value;
    }

    boolean isSetting() {
        return kind == Kind.SET || kind == Kind.RESET;
    }
}
