package flumen.sql;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A place in the script: line and column in characters, from 1. */
final class Position {
    private static final Pattern IN_STATEMENT = Pattern.compile("line (\\d{1,9}), column (\\d{1,9})");

    final int line;
    final int column;

    Position(int line, int column) {
        this.line = line;
        this.column = column;
    }

    @Override
    public String toString() {
        return "line " + line + ", column " + column;
    }

    /** A message of Flink's about the statement that begins here, with the places in it made places in the script. */
    String mapped(String message, String statement) {
        Matcher places = IN_STATEMENT.matcher(message);
        StringBuffer mapped = new StringBuffer();
        while (places.find()) {
            Position inside = inside(places, statement);
            // Not inside is what Flink says of the text of a view, for example.
            String place = inside == null ? places.group() + " of another text" : inside.toString();
            places.appendReplacement(mapped, Matcher.quoteReplacement(place));
        }
        return places.appendTail(mapped).toString();
    }

    /** The first place in a message of Flink's about the statement that begins here, or this one. */
    Position firstIn(String message, String statement) {
        Matcher places = IN_STATEMENT.matcher(message);
        while (places.find()) {
            Position inside = inside(places, statement);
            if (inside != null) {
                return inside;
            }
        }
        return this;
    }

    /** The place in the script, or null for one that the statement does not have. */
    private Position inside(Matcher place, String statement) {
        String[] lines = statement.split("\r\n|\r|\n", -1);
        int line = Integer.parseInt(place.group(1));
        int unit = Integer.parseInt(place.group(2));
        boolean isInside = line >= 1 && line <= lines.length && unit >= 1 && unit <= lines[line - 1].length() + 1;
        return isInside ? at(lines[line - 1], line, unit) : null;
    }

    /** Flink counts columns in UTF-16 units and from the beginning of the statement. */
    private Position at(String text, int lineOfStatement, int unit) {
        int characters = text.codePointCount(0, unit - 1);
        return new Position(
                line + lineOfStatement - 1, (lineOfStatement == 1 ? column : 1) + characters);
    }
}
