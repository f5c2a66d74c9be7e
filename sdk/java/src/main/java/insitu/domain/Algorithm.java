package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.json.Json;
import insitu.json.JsonBoolean;
import insitu.json.JsonNumber;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How an algorithm is started in its container. */
public final class Algorithm {
    /** A file that is started in place of an entrypoint. */
    public static final String ENTRYPOINT_SCRIPT = "compute-entrypoint.sh";

    private static final int MAX_ENTRYPOINT = 4096;
    private static final int MAX_VALUE_BYTES = 8192;
    private static final Pattern PIECE = Pattern.compile("(?<blank>[ \\t\\r\\n]++)|(?<plain>[^ \\t\\r\\n'\"\\\\]++)"
            + "|'(?<single>[^']*+)'|\"(?<pair>(?:[^\"\\\\]|\\\\[\\s\\S])*+)\"|\\\\(?<escaped>[\\s\\S])");
    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_.-]{0,63}");
    private static final Pattern RESERVED = Pattern.compile("(?:input[0-9]*|output|logs)", Pattern.CASE_INSENSITIVE);

    private Algorithm() {}

    /**
     * Returns the argument vector of a stage, as it is started in the container.
     *
     * @param entrypoint {@code main.algorithm.entrypoint}; a file {@link #ENTRYPOINT_SCRIPT} stands before it
     * @param inputs how many volumes the stage reads
     * @param configuration passed on sorted by name, because canonical documents do not keep an order
     * @throws InsituException {@code InvalidDocument} if there is nothing to start, quotes are not closed, or a name is
     *     not allowed
     */
    public static List<String> argumentVector(
            String entrypoint, List<String> fileNames, int inputs, Map<String, JsonValue> configuration) {
        List<String> words = new ArrayList<>(
                fileNames.contains(ENTRYPOINT_SCRIPT) ? List.of("sh", ENTRYPOINT_SCRIPT) : splitEntrypoint(entrypoint));
        if (words.isEmpty()) {
            String detail = "the algorithm has neither " + ENTRYPOINT_SCRIPT + " nor an entrypoint";
            throw new InsituException(ErrorCode.InvalidDocument, detail);
        }
        for (int at = 1; at <= inputs; at++) {
            words.add("--input" + at + "=/mnt/volume" + at);
        }
        words.addAll(List.of("--output=/mnt/output", "--logs=/mnt/logs"));
        new TreeMap<>(configuration).forEach((name, value) -> {
            configurationProblem(name, value).ifPresent(problem -> {
                throw new InsituException(ErrorCode.InvalidDocument, problem);
            });
            words.add("--" + name + "=" + scalarText(value));
        });
        return List.copyOf(words);
    }

    /**
     * Splits an entrypoint into words as a POSIX shell does, without expansion, redirection or a second command.
     *
     * @throws InsituException {@code InvalidDocument} if a quote is not closed, or it is too long or has a NUL character
     */
    public static List<String> splitEntrypoint(String entrypoint) {
        if (entrypoint.indexOf('\0') >= 0 || entrypoint.codePointCount(0, entrypoint.length()) > MAX_ENTRYPOINT) {
            String detail = "the entrypoint is longer than " + MAX_ENTRYPOINT + " or has a NUL character";
            throw new InsituException(ErrorCode.InvalidDocument, detail);
        }
        List<String> words = new ArrayList<>();
        StringBuilder word = null;
        Matcher piece = PIECE.matcher(entrypoint);
        for (int at = 0; at < entrypoint.length(); at = piece.end()) {
            if (!piece.region(at, entrypoint.length()).lookingAt()) {
                String detail = "the entrypoint cannot be split: a quote or an escape is not closed";
                throw new InsituException(ErrorCode.InvalidDocument, detail);
            }
            if (piece.group("blank") == null) {
                word = (word == null ? new StringBuilder() : word).append(unquoted(piece));
            } else if (word != null) {
                words.add(word.toString());
                word = null;
            }
        }
        if (word != null) {
            words.add(word.toString());
        }
        return List.copyOf(words);
    }

    private static String unquoted(Matcher piece) {
        String pair = piece.group("pair");
        if (pair != null) {
            return pair.replaceAll("\\\\([\"\\\\])", "$1");
        }
        for (String kind : List.of("plain", "single")) {
            if (piece.group(kind) != null) {
                return piece.group(kind);
            }
        }
        return piece.group("escaped");
    }

    /** Returns what is wrong with a member of a configuration, as a sentence; nothing if it can be passed on. */
    public static Optional<String> configurationProblem(String name, JsonValue value) {
        if (!NAME.matcher(name).matches()) {
            return Optional.of(Ids.shown(name)
                    + " is not a configuration name: use a letter, then letters, digits, '.', '_' or '-'");
        }
        if (RESERVED.matcher(name).matches()) {
            return Optional.of("the configuration name " + name + " is reserved");
        }
        if (!(value instanceof JsonString || value instanceof JsonNumber || value instanceof JsonBoolean)) {
            return Optional.of("the configuration of " + name + " is not a text, number or boolean");
        }
        String text = scalarText(value);
        return text.indexOf('\0') < 0 && Bytes.utf8(text).length <= MAX_VALUE_BYTES
                ? Optional.empty()
                : Optional.of("the configuration of " + name + " is longer than " + MAX_VALUE_BYTES
                        + " bytes or has a NUL character");
    }

    // Text as it is, numbers and flags as JSON writes them.
    private static String scalarText(JsonValue value) {
        return value instanceof JsonString text ? text.value() : Json.text(value);
    }
}
