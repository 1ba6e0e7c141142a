package flumen.sql;

/** A place in the script: line and column in characters, from 1. */
final class Position {
    private final int line;
    private final int column;

    Position(int line, int column) {
        this.line = line;
        this.column = column;
    }

    @Override
    public String toString() {
        return "line " + line + ", column " + column;
    }

    /** The place behind a text that begins here. */
    Position after(String text) {
        String[] lines = text.split("\r\n|\r|\n", -1);
        String last = lines[lines.length - 1];
        int characters = last.codePointCount(0, last.length());
        return new Position(line + lines.length - 1, (lines.length == 1 ? column : 1) + characters);
    }
}
