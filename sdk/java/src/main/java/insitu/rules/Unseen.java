package insitu.rules;

import insitu.internal.Tables;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Text of strangers: what cannot be seen is shown by its number. */
public final class Unseen {
    // Ranges of characters that control, reorder or break text, or have no ink and no shape.
    private static final BitSet UNSEEN = characters("unseen");
    // Of these, what changes how the character before looks or joins; between Latin letters it is only unseen.
    private static final BitSet JOINING = characters("joining");
    private static final int LAST_LATIN = 0x5ff;
    private static final int EMOJI_STYLE = 0xfe0f;
    private static final int JOINER = 0x200d;
    // Marks on one letter beyond the fourth: they climb over the lines above.
    private static final Pattern MARKS = Pattern.compile("(\\p{Mn}{4})\\p{Mn}+");
    // The same blanks as in Python, whatever a JDK knows.
    private static final Pattern BLANKS =
            Pattern.compile("[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+");
    private static final Pattern SEEN = Pattern.compile("[\\p{L}\\p{N}\\p{P}\\p{S}]");
    private static final Map<Integer, String> NAMED = Map.of((int) '\t', "\\t", (int) '\n', "\\n", (int) '\r', "\\r");

    private Unseen() {}

    /** Returns text with the numbers of what cannot be seen in its place, except the characters in {@code keep}. */
    public static String visible(String text, String keep) {
        StringBuilder shown = new StringBuilder();
        int before = 0;
        for (int point : MARKS.matcher(text).replaceAll("$1").codePoints().toArray()) {
            boolean isSeen = !UNSEEN.get(point) || joins(before, point) || keep.indexOf(point) >= 0;
            shown.append(isSeen ? Character.toString(point) : numbered(point));
            before = point;
        }
        return shown.toString();
    }

    /** Returns text on one line, with single blanks. */
    public static String onOneLine(String text) {
        return BLANKS.matcher(text).replaceAll(" ").strip();
    }

    /** Returns a name in which something can be seen, or nothing. */
    public static Optional<String> seenName(String name) {
        return Optional.of(name).filter(SEEN.asPredicate());
    }

    private static boolean joins(int before, int point) {
        boolean isAlone = before <= LAST_LATIN || JOINING.get(before);
        return (JOINING.get(point) && !isAlone) || (point == JOINER && before == EMOJI_STYLE);
    }

    private static String numbered(int point) {
        if (point < 0x100) {
            return NAMED.getOrDefault(point, String.format("\\x%02x", point));
        }
        return String.format(point < 0x10000 ? "\\u%04x" : "\\U%08x", point);
    }

    private static BitSet characters(String name) {
        BitSet found = new BitSet();
        for (String range :
                Tables.read(Unseen.class, "unseen.json").at(name).text().split(" ")) {
            String[] ends = range.split("-");
            found.set(Integer.parseInt(ends[0], 16), Integer.parseInt(ends[ends.length - 1], 16) + 1);
        }
        return found;
    }
}
