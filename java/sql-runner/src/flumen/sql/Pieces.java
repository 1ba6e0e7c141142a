package flumen.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The text of a statement as Flink gets it, made of pieces, and where each of those stands in the script. */
final class Pieces {
    private static final Pattern IN_STATEMENT = Pattern.compile("line (\\d{1,9}), column (\\d{1,9})");
    private static final Pattern BREAK = Pattern.compile("\r\n|\r|\n");

    private final StringBuilder text = new StringBuilder();
    private final List<Piece> pieces = new ArrayList<>();

    private static final class Piece {
        final int start;
        final Position place;
        /** Whether the script has the same text there; else all of the piece stands for what begins there. */
        final boolean isVerbatim;

        Piece(int start, Position place, boolean isVerbatim) {
            this.start = start;
            this.place = place;
            this.isVerbatim = isVerbatim;
        }
    }

    Pieces add(String piece, Position place, boolean isVerbatim) {
        pieces.add(new Piece(text.length(), place, isVerbatim));
        text.append(piece);
        return this;
    }

    String text() {
        return text.toString();
    }

    /** A message of Flink's about the statement, with the places in it made places in the script. */
    String mapped(String message) {
        Matcher places = IN_STATEMENT.matcher(message);
        StringBuffer mapped = new StringBuffer();
        while (places.find()) {
            int offset = offset(Integer.parseInt(places.group(1)), Integer.parseInt(places.group(2)));
            // Not inside is what Flink says of the text of a view, for example.
            Object place = offset < 0 ? places.group() + " of another text" : at(offset);
            places.appendReplacement(mapped, Matcher.quoteReplacement(place.toString()));
        }
        return places.appendTail(mapped).toString();
    }

    /** Flink counts columns in UTF-16 units and from the beginning of the statement; -1 where there is no such place. */
    private int offset(int line, int column) {
        Matcher breaks = BREAK.matcher(text);
        int start = 0;
        for (int before = 1; before < line; before++) {
            if (!breaks.find()) {
                return -1;
            }
            start = breaks.end();
        }
        int end = breaks.find() ? breaks.start() : text.length();
        boolean isInside = line >= 1 && column >= 1 && column <= end - start + 1;
        return isInside ? start + column - 1 : -1;
    }

    private Position at(int offset) {
        int last = pieces.size() - 1;
        while (last > 0 && pieces.get(last).start > offset) {
            last--;
        }
        Piece piece = pieces.get(last);
        return piece.isVerbatim ? piece.place.after(text.substring(piece.start, offset)) : piece.place;
    }
}
