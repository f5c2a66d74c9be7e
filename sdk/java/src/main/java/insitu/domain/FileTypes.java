package insitu.domain;

import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.internal.Tables;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Types of files that may leave: a suffix, and what it says about the bytes.
 *
 * <p>The last part decides what the bytes are, so {@code .csv.gz} is gzip. An owner who allows {@code .gz} also allows
 * {@code .csv.gz}, but not the other way round. Suffixes without known bytes are declared: {@code .dcm=binary}.
 */
public final class FileTypes {
    private static final Pattern FORM =
            Pattern.compile("\\.?[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)*(?:=(?:binary|text))?");
    private static final int MAX_SUFFIX = 255;

    private FileTypes() {}

    /** Returns what is wrong with a type that an owner wants to allow, as a sentence; nothing if it can be checked. */
    public static Optional<String> typeProblem(String text) {
        if (!FORM.matcher(text).matches()) {
            return Optional.of(
                    "a file name suffix such as .csv or .tar.gz is needed, or a declared one such as .dcm=binary");
        }
        String[] parts = partsOf(text);
        String last = lastOf(parts[0]);
        boolean isKnown = Table.TEXT.contains(last) || Table.BEGINNINGS.containsKey(last);
        if (isKnown == parts[1].isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                isKnown
                        ? "the bytes of " + parts[0] + " are known: leave out =" + parts[1]
                        : "the bytes of " + parts[0] + " are not known: write " + parts[0] + "=binary or " + parts[0]
                                + "=text");
    }

    /** Returns what two lists of types both allow, sorted. Of two declarations of a suffix, {@code text} is the stricter. */
    public static List<String> commonTypes(List<String> first, List<String> second) {
        Map<String, String> left = declarations(first);
        Map<String, String> right = declarations(second);
        Map<String, String> common = new HashMap<>();
        addCovered(left, right, common);
        addCovered(right, left, common);
        return common.entrySet().stream()
                .map(one -> one.getValue().isEmpty() ? one.getKey() : one.getKey() + "=" + one.getValue())
                .sorted()
                .toList();
    }

    private static void addCovered(Map<String, String> mine, Map<String, String> theirs, Map<String, String> common) {
        mine.forEach((suffix, declared) -> tails(suffix)
                .filter(theirs::containsKey)
                .findFirst()
                .ifPresent(tail ->
                        common.merge(suffix, stricter(declared, theirs.getOrDefault(tail, "")), FileTypes::stricter)));
    }

    /**
     * Returns whether a file may leave under a list of allowed types: its suffix is listed, and its bytes are what the
     * suffix says. An empty file says no more than its name.
     *
     * @param name without folders
     */
    public static boolean mayLeave(String name, byte[] bytes, List<String> types) {
        Map<String, String> allowed = declarations(types);
        if (bytes.length == 0 && name.indexOf('.') < 0 && !allowed.isEmpty()) {
            return true;
        }
        return tails(name.toLowerCase(Locale.ROOT))
                .filter(allowed::containsKey)
                .findFirst()
                .map(suffix -> bytes.length == 0 || fits(bytes, lastOf(suffix), allowed.get(suffix)))
                .orElse(false);
    }

    private static boolean fits(byte[] bytes, String suffix, @Nullable String declared) {
        List<List<Part>> beginnings = Table.BEGINNINGS.get(suffix);
        if (beginnings != null) {
            return beginnings.stream().anyMatch(parts -> parts.stream().allMatch(part -> part.isIn(bytes)));
        }
        // An undeclared suffix comes from an old document, which meant any bytes.
        return !(Table.TEXT.contains(suffix) || "text".equals(declared)) || isText(bytes);
    }

    private static boolean isText(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(bytes))
                            .toString()
                            .indexOf('\0')
                    < 0;
        } catch (CharacterCodingException notText) {
            return false;
        }
    }

    // A type as rules compare it: with its first dot, in lower case; and what it was declared to be.
    private static String[] partsOf(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        String suffix = lower.startsWith(".") ? lower : "." + lower;
        int declared = suffix.indexOf('=');
        return declared < 0
                ? new String[] {suffix, ""}
                : new String[] {suffix.substring(0, declared), suffix.substring(declared + 1)};
    }

    private static Map<String, String> declarations(List<String> types) {
        Map<String, String> found = new TreeMap<>();
        for (String text : types) {
            String[] parts = partsOf(text);
            if (parts[0].length() <= MAX_SUFFIX) {
                found.merge(parts[0], parts[1], FileTypes::stricter);
            }
        }
        return found;
    }

    // "" < "binary" < "text", as their letters happen to stand.
    private static String stricter(String one, String other) {
        return one.compareTo(other) < 0 ? other : one;
    }

    // The suffixes of a name, the longest first: .csv.gz and .gz of a.csv.gz.
    private static Stream<String> tails(String name) {
        return IntStream.range(0, name.length())
                .filter(at -> name.charAt(at) == '.')
                .mapToObj(name::substring);
    }

    private static String lastOf(String suffix) {
        return suffix.substring(suffix.lastIndexOf('.'));
    }

    private record Part(int at, byte[] bytes) {
        static Part read(Place place) {
            List<Place> pair = place.list(one -> one);
            return new Part((int) pair.get(0).count(), Bytes.fromHex(pair.get(1).text()));
        }

        boolean isIn(byte[] whole) {
            int end = at + bytes.length;
            return whole.length >= end && Arrays.equals(whole, at, end, bytes, 0, bytes.length);
        }
    }

    // Read when the first type is judged.
    private static final class Table {
        private static final Place WHOLE = Tables.read(FileTypes.class, "file-types.json");
        private static final Set<String> TEXT = Set.copyOf(WHOLE.at("text").list(Place::text));
        private static final Map<String, List<List<Part>>> BEGINNINGS =
                WHOLE.at("beginnings").map(any -> any.list(parts -> parts.list(Part::read)));
    }
}
