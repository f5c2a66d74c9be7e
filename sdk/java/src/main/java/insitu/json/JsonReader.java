package insitu.json;

import insitu.ErrorCode;
import insitu.InsituException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads one text of JSON (RFC 8259) with the limits of I-JSON. */
final class JsonReader {
    private static final Pattern NUMBER = Pattern.compile("-?(?:0|[1-9][0-9]*+)(?:\\.[0-9]++)?(?:[eE][+-]?[0-9]++)?");

    private final String text;
    private final Matcher number;
    private final Deque<Object> path = new ArrayDeque<>();
    private int at;

    JsonReader(String text) {
        this.text = text;
        this.number = NUMBER.matcher(text);
    }

    JsonValue read() {
        if (text.length() > Json.MAX_LENGTH) {
            throw refusal("the text is longer than " + Json.MAX_LENGTH + " characters");
        }
        skipBlanks();
        JsonValue value = readValue();
        skipBlanks();
        if (at < text.length()) {
            throw notJson();
        }
        return value;
    }

    private JsonValue readValue() {
        if (path.size() > Json.MAX_DEPTH) {
            throw refusal("nested deeper than " + Json.MAX_DEPTH + " levels");
        }
        return switch (peek()) {
            case '{' -> readObject();
            case '[' -> readArray();
            case '"' -> new JsonString(readText());
            case 't' -> readWord("true", new JsonBoolean(true));
            case 'f' -> readWord("false", new JsonBoolean(false));
            case 'n' -> readWord("null", JsonNull.NULL);
            default -> readNumber();
        };
    }

    private JsonValue readObject() {
        Map<String, JsonValue> members = new LinkedHashMap<>();
        at++;
        skipBlanks();
        if (accept('}')) {
            return JsonObject.EMPTY;
        }
        do {
            skipBlanks();
            String name = readText();
            if (members.containsKey(name)) {
                throw refusal("an object names the member " + shown(name) + " twice");
            }
            skipBlanks();
            expect(':');
            skipBlanks();
            members.put(name, readBelow(name));
            skipBlanks();
        } while (accept(','));
        expect('}');
        return new JsonObject(members);
    }

    private JsonValue readArray() {
        List<JsonValue> items = new ArrayList<>();
        at++;
        skipBlanks();
        if (accept(']')) {
            return new JsonArray(items);
        }
        do {
            skipBlanks();
            items.add(readBelow(items.size()));
            skipBlanks();
        } while (accept(','));
        expect(']');
        return new JsonArray(items);
    }

    private JsonValue readBelow(Object segment) {
        path.addLast(segment);
        JsonValue value = readValue();
        path.removeLast();
        return value;
    }

    private JsonValue readWord(String word, JsonValue value) {
        if (!text.startsWith(word, at)) {
            throw notJson();
        }
        at += word.length();
        return value;
    }

    private JsonValue readNumber() {
        if (!number.region(at, text.length()).lookingAt()) {
            throw notJson();
        }
        at = number.end();
        double value = Double.parseDouble(number.group());
        if (!JsonNumber.fits(value)) {
            throw refusal("a number beyond 2^53 - 1: write it as a string");
        }
        return new JsonNumber(value);
    }

    private String readText() {
        expect('"');
        StringBuilder read = new StringBuilder();
        while (!accept('"')) {
            char unit = next();
            if (unit < ' ') {
                throw notJson();
            }
            read.append(unit == '\\' ? readEscape() : unit);
        }
        String made = read.toString();
        if (!JsonString.isValid(made)) {
            throw refusal("text with a lone surrogate");
        }
        return made;
    }

    private char readEscape() {
        char escape = next();
        return switch (escape) {
            case '"', '\\', '/' -> escape;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> (char) ((readDigit() << 12) | (readDigit() << 8) | (readDigit() << 4) | readDigit());
            default -> throw notJson();
        };
    }

    private int readDigit() {
        char unit = next();
        int digit = unit < 128 ? Character.digit(unit, 16) : -1;
        if (digit < 0) {
            throw notJson();
        }
        return digit;
    }

    private void skipBlanks() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw notJson();
        }
        return text.charAt(at);
    }

    private char next() {
        char unit = peek();
        at++;
        return unit;
    }

    private boolean accept(char wanted) {
        boolean found = peek() == wanted;
        at += found ? 1 : 0;
        return found;
    }

    private void expect(char wanted) {
        if (!accept(wanted)) {
            throw notJson();
        }
    }

    private InsituException notJson() {
        return refusal("the text is not JSON at character " + at);
    }

    private InsituException refusal(String detail) {
        StringBuilder pointer = new StringBuilder();
        for (Object segment : path) {
            pointer.append('/').append(Json.pointerSegment(segment.toString()));
        }
        return new InsituException(ErrorCode.InvalidDocument, detail, pointer.toString());
    }

    private static String shown(String name) {
        return '"' + name.substring(0, Math.min(80, name.length())) + '"';
    }
}
