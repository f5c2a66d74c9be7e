package insitu.json;

import insitu.ErrorCode;
import insitu.InsituException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads JSON strictly and writes its canonical form. */
public final class Json {
    /** The deepest nesting that a document may have. */
    public static final int MAX_DEPTH = 64;

    /** The longest text that is read, in UTF-16 code units. */
    public static final int MAX_LENGTH = 1 << 26;

    private Json() {}

    /**
     * Reads JSON text that every reader understands in the same way (RFC 7493).
     *
     * <p>Of two members with one name some readers take the first and others the last, so one document could say two
     * things. Readers also disagree about numbers beyond 2^53 - 1.
     *
     * @throws InsituException {@code InvalidDocument} if the text is not JSON or too long, or has two members with one
     *     name, a number beyond 2^53 - 1, a lone surrogate, or more than 64 levels
     */
    public static JsonValue read(String text) {
        return new JsonReader(text).read();
    }

    /**
     * Reads JSON from UTF-8.
     *
     * @throws InsituException {@code InvalidDocument} as {@link #read(String)}, and for bytes that are not UTF-8
     */
    public static JsonValue read(byte[] utf8) {
        try {
            return read(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString());
        } catch (CharacterCodingException cause) {
            throw new InsituException(ErrorCode.InvalidDocument, "the text is not UTF-8", cause);
        }
    }

    /**
     * Returns the canonical form of a value (RFC 8785) as UTF-8.
     *
     * @throws InsituException {@code InvalidDocument} if the value is nested deeper than 64 levels
     */
    public static byte[] canonical(JsonValue value) {
        StringBuilder text = new StringBuilder();
        CanonicalWriter.write(value, text, 0);
        return text.toString().getBytes(StandardCharsets.UTF_8); // without lone surrogates, which would become '?'
    }

    /** Returns the canonical form of a value as text; see {@link #canonical}. */
    public static String text(JsonValue value) {
        return new String(canonical(value), StandardCharsets.UTF_8);
    }

    /**
     * Makes JSON of a value of Java.
     *
     * @param value null, {@link Boolean}, {@link CharSequence}, {@link Integer}, {@link Long}, {@link Double}, a list
     *     or a map of such, or a {@link JsonValue}; other numbers are refused, because amounts are written as text
     * @throws IllegalArgumentException for a value of another type
     * @throws InsituException {@code InvalidDocument} for a number beyond 2^53 - 1 or a lone surrogate
     */
    public static JsonValue of(@Nullable Object value) {
        if (value == null) {
            return JsonNull.NULL;
        }
        if (value instanceof JsonValue json) {
            return json;
        }
        if (value instanceof CharSequence text) {
            return new JsonString(text.toString());
        }
        if (value instanceof Boolean flag) {
            return new JsonBoolean(flag);
        }
        if (value instanceof Integer || value instanceof Long || value instanceof Double) {
            return new JsonNumber(((Number) value).doubleValue());
        }
        if (value instanceof List<?> items) {
            return new JsonArray(items.stream().map(Json::of).toList());
        }
        if (value instanceof Map<?, ?> members) {
            return objectOf(members);
        }
        throw new IllegalArgumentException(value.getClass().getName() + " is not a type of JSON");
    }

    /** Makes a JSON object of a map of Java; see {@link #of}. */
    public static JsonObject objectOf(Map<?, ?> members) {
        Map<String, JsonValue> made = new LinkedHashMap<>();
        members.forEach((name, member) -> made.put(String.valueOf(name), of(member)));
        return new JsonObject(made);
    }

    /** Returns whether two values have the same canonical form. */
    public static boolean same(JsonValue one, JsonValue other) {
        return text(one).equals(text(other));
    }

    /** Escapes one segment of a JSON pointer (RFC 6901, section 3). */
    public static String pointerSegment(String segment) {
        return segment.replace("~", "~0").replace("/", "~1");
    }
}
