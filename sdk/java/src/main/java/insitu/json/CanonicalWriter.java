package insitu.json;

import insitu.ErrorCode;
import insitu.InsituException;
import java.util.TreeMap;

/** Writes RFC 8785. */
final class CanonicalWriter {
    private CanonicalWriter() {}

    static void write(JsonValue value, StringBuilder to, int depth) {
        if (depth > Json.MAX_DEPTH) {
            throw new InsituException(ErrorCode.InvalidDocument, "nested deeper than " + Json.MAX_DEPTH + " levels");
        }
        if (value instanceof JsonObject object) {
            writeObject(object, to, depth);
        } else if (value instanceof JsonArray array) {
            writeArray(array, to, depth);
        } else if (value instanceof JsonString text) {
            writeText(text.value(), to);
        } else if (value instanceof JsonNumber number) {
            to.append(number.canonical());
        } else if (value instanceof JsonBoolean flag) {
            to.append(flag.value());
        } else {
            to.append("null");
        }
    }

    private static void writeObject(JsonObject object, StringBuilder to, int depth) {
        String before = "{";
        // RFC 8785 sorts names by their UTF-16 code units, as String.compareTo does.
        for (var member : new TreeMap<>(object.members()).entrySet()) {
            to.append(before);
            writeText(member.getKey(), to);
            to.append(':');
            write(member.getValue(), to, depth + 1);
            before = ",";
        }
        to.append(before.equals("{") ? "{}" : "}");
    }

    private static void writeArray(JsonArray array, StringBuilder to, int depth) {
        String before = "";
        to.append('[');
        for (JsonValue item : array.items()) {
            to.append(before);
            write(item, to, depth + 1);
            before = ",";
        }
        to.append(']');
    }

    private static void writeText(String text, StringBuilder to) {
        to.append('"');
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            switch (unit) {
                case '"' -> to.append("\\\"");
                case '\\' -> to.append("\\\\");
                case '\b' -> to.append("\\b");
                case '\t' -> to.append("\\t");
                case '\n' -> to.append("\\n");
                case '\f' -> to.append("\\f");
                case '\r' -> to.append("\\r");
                default -> to.append(unit < ' ' ? String.format("\\u%04x", (int) unit) : unit);
            }
        }
        to.append('"');
    }
}
