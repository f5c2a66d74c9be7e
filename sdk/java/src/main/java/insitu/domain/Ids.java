package insitu.domain;

import insitu.json.Json;
import insitu.json.JsonString;

/** How a text that is not an id is shown in a message. */
final class Ids {
    private static final int MOST = 80;

    private Ids() {}

    static String shown(String text) {
        // Without what no text may have.
        return Json.text(new JsonString(beginning(text, MOST).replaceAll("\\p{Cs}", "\ufffd")));
    }

    /** Returns the first characters (code points) of a text. */
    static String beginning(String text, int most) {
        return text.substring(0, text.offsetByCodePoints(0, Math.min(most, text.codePointCount(0, text.length()))));
    }
}
