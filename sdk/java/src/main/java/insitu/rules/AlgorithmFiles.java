package insitu.rules;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Algorithm;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a document says about the files of an algorithm: each name, which may have folders, with its bytes. */
public final class AlgorithmFiles {
    private static final Map<String, String> INTERPRETERS =
            Map.of("py", "python3", "sh", "sh", "r", "Rscript", "js", "node", "java", "java", "jar", "java -jar");
    private static final Pattern PLAIN_WORD = Pattern.compile("[A-Za-z0-9_@%+=:,./-]+");
    private static final Pattern SCRIPT = Pattern.compile("(?:.*/)?[^/]+\\.([^./]+)");

    private AlgorithmFiles() {}

    /** Returns {@code main.files} of an algorithm, sorted by name. */
    public static List<JsonObject> describeContents(Map<String, byte[]> contents) {
        List<String> names = new ArrayList<>(contents.keySet());
        // UTF-8 sorts like code points, and UTF-16 does not.
        names.sort(Comparator.comparing(Bytes::utf8, Arrays::compareUnsigned));
        List<JsonObject> files = new ArrayList<>();
        for (String name : names) {
            byte[] content = contents.get(name);
            files.add(Json.objectOf(Map.of(
                    "index", files.size(),
                    "name", name,
                    "contentType", MediaTypes.mediaType(name),
                    "contentLength", Integer.toString(content.length),
                    "checksum", Bytes.digits(Hashes.sha256(content)),
                    "checksumType", "sha256")));
        }
        return List.copyOf(files);
    }

    /**
     * Returns how an algorithm of one script is started; nothing if it has a {@code compute-entrypoint.sh}.
     *
     * @throws InsituException {@code EntrypointMissing} if the publisher must name it
     */
    public static Optional<String> entrypointOf(Collection<String> names) {
        if (names.contains(Algorithm.ENTRYPOINT_SCRIPT)) {
            return Optional.empty();
        }
        String name = names.size() == 1 ? names.iterator().next() : "";
        var script = SCRIPT.matcher(name);
        String interpreter = script.matches() ? INTERPRETERS.get(script.group(1).toLowerCase(Locale.ROOT)) : null;
        if (interpreter == null) {
            String detail = "name how the algorithm is started, such as python3 count.py";
            throw new InsituException(ErrorCode.EntrypointMissing, detail);
        }
        boolean isPlain = PLAIN_WORD.matcher(name).matches();
        return Optional.of(interpreter + " " + (isPlain ? name : "'" + name.replace("'", "'\"'\"'") + "'"));
    }

    /**
     * Returns {@code main.algorithm}.
     *
     * @param entrypoint how it is started; null for a single script
     * @param container {@code image}, {@code tag} and {@code checksum} that it needs; null leaves that to the workflow
     * @throws InsituException {@code EntrypointMissing}; {@code InvalidDocument} if it cannot be started
     */
    public static JsonObject describeAlgorithm(
            Collection<String> names, @Nullable String entrypoint, @Nullable JsonObject container) {
        Optional<String> start =
                entrypoint == null || entrypoint.isEmpty() ? entrypointOf(names) : Optional.of(entrypoint);
        Algorithm.argumentVector(start.orElse(""), List.copyOf(names), 0, Map.of());
        JsonObject algorithm = Json.objectOf(Map.of("language", "", "format", "docker-image", "version", "1"));
        if (start.isPresent()) {
            algorithm = algorithm.with("entrypoint", Json.of(start.get()));
        }
        return container == null ? algorithm : algorithm.with("requirements", Json.of(Map.of("container", container)));
    }
}
