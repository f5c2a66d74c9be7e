package insitu.domain;

import insitu.internal.Bytes;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/** File names that strangers chose: a safe one means the same file on every system, and nothing else. */
public final class FileNames {
    private static final int MAX_COMPONENT_BYTES = 255;
    private static final int MAX_PATH_BYTES = 1024;
    private static final int MAX_DEPTH = 32;
    private static final int DOTLESS_I = 0x131;

    private FileNames() {}

    /** Returns what is wrong with a relative path, as the end of a sentence; nothing if it is safe. */
    public static Optional<String> problemOf(String path) {
        String[] components = path.split("/", -1);
        if (components.length > MAX_DEPTH) {
            return Optional.of("is deeper than " + MAX_DEPTH + " folders");
        }
        for (String component : components) {
            Optional<String> problem = problemOfComponent(component);
            if (problem.isPresent()) {
                return problem;
            }
        }
        return Bytes.utf8(path).length <= MAX_PATH_BYTES
                ? Optional.empty()
                : Optional.of("is longer than " + MAX_PATH_BYTES + " bytes");
    }

    private static Optional<String> problemOfComponent(String name) {
        if (name.isEmpty() || name.equals(".") || name.equals("..")) {
            return Optional.of("has an empty, '.' or '..' part");
        }
        if (name.indexOf('\\') >= 0) {
            return Optional.of("has a slash or backslash");
        }
        if (name.codePoints().anyMatch(Refused.CHARACTERS::get)) {
            return Optional.of("has control, formatting, unassigned or odd blank characters");
        }
        if (name.startsWith(" ") || name.endsWith(" ") || name.endsWith(".")) {
            return Optional.of("begins or ends with a blank, or ends with a dot");
        }
        return Bytes.utf8(name).length <= MAX_COMPONENT_BYTES
                ? Optional.empty()
                : Optional.of("is longer than " + MAX_COMPONENT_BYTES + " bytes");
    }

    /**
     * Returns the first two paths that are the same file on some system: they are equal except for case or Unicode form, or
     * one is a file that is also the other's folder. Empty if there are none.
     */
    public static List<String> firstCollision(List<String> paths) {
        Map<String, String> files = new HashMap<>();
        Map<String, String> folders = new HashMap<>();
        for (String path : paths) {
            String key = foldCase(Normalizer.normalize(path, Normalizer.Form.NFKC));
            String other = files.getOrDefault(key, folders.get(key));
            if (other != null) {
                return List.of(other, path);
            }
            files.put(key, path);
            for (int slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
                String folder = key.substring(0, slash);
                if (files.containsKey(folder)) {
                    return List.of(files.get(folder), path);
                }
                folders.putIfAbsent(folder, path);
            }
        }
        return List.of();
    }

    // Character by character: a whole word would depend on where its letters stand (the final sigma).
    private static String foldCase(String text) {
        return text.codePoints()
                .mapToObj(point -> point == DOTLESS_I
                        ? Character.toString(point)
                        : lower(lower(Character.toString(point)).toUpperCase(Locale.ROOT)))
                .collect(Collectors.joining());
    }

    private static String lower(String text) {
        return text.codePoints()
                .mapToObj(point -> Character.toString(point).toLowerCase(Locale.ROOT))
                .collect(Collectors.joining());
    }

    // The characters that Unicode 14 does not print, whatever this JDK knows. Read when the first name is judged.
    private static final class Refused {
        private static final BitSet CHARACTERS = read();

        private static BitSet read() {
            BitSet refused = new BitSet();
            try (InputStream file = FileNames.class.getResourceAsStream("refused-characters.txt");
                    BufferedReader lines = new BufferedReader(
                            new InputStreamReader(Objects.requireNonNull(file), StandardCharsets.US_ASCII))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    String[] ends = line.split("-");
                    refused.set(Integer.parseInt(ends[0], 16), Integer.parseInt(ends[1], 16) + 1);
                }
            } catch (IOException cause) {
                throw new UncheckedIOException(cause);
            }
            return refused;
        }
    }
}
