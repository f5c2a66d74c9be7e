package insitu.domain;

import insitu.json.Json;
import insitu.json.JsonString;

/** How a text that is not an id is shown in a message. */
final class Ids {
    private static final int MOST = 80;

    private Ids() {}

    static String shown(String text) {
        // Cut between code points, and without what no text may have.
        int end = text.offsetByCodePoints(0, Math.min(MOST, text.codePointCount(0, text.length())));
        String valid = text.substring(0, end).replaceAll("\\p{Cs}", "\ufffd");
        return Json.text(new JsonString(valid));
    }
}
