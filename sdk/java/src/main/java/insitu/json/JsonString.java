package insitu.json;

import insitu.ErrorCode;
import insitu.InsituException;

/**
 * Text.
 *
 * @param value valid Unicode; a lone surrogate is refused with {@code InvalidDocument}
 */
public record JsonString(String value) implements JsonValue {
    public JsonString {
        if (!isValid(value)) {
            throw new InsituException(ErrorCode.InvalidDocument, "text with a lone surrogate");
        }
    }

    static boolean isValid(String text) {
        for (int at = 0; at < text.length(); at += Character.charCount(text.codePointAt(at))) {
            int point = text.codePointAt(at);
            if (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE) {
                return false;
            }
        }
        return true;
    }
}
