package insitu.client;

import insitu.json.JsonObject;
import insitu.rules.AlgorithmFiles;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What runs in place of the algorithm of a bought workflow.
 *
 * @param algorithm DID of an algorithm, or the name of a new one
 * @param contents files of a new algorithm, each with its name; null for one that is published
 * @param entrypoint how a new one is started; null for a single script
 * @param configuration replaces that of the stage; null keeps it
 */
public record Revision(
        String algorithm,
        @Nullable Map<String, byte[]> contents,
        @Nullable String entrypoint,
        @Nullable JsonObject configuration) {
    /** Returns a revision with a published algorithm. */
    public static Revision with(String algorithmDid) {
        return new Revision(algorithmDid, null, null, null);
    }

    /** Returns a revision with new files; {@link DataFiles#contents} reads them. */
    public static Revision with(String name, Map<String, byte[]> contents) {
        return new Revision(name, Map.copyOf(contents), null, null);
    }

    /** Returns the entrypoint as documents have it. Throws {@code EntrypointMissing}. */
    @Nullable
    String start() {
        return entrypoint != null || contents == null
                ? entrypoint
                : AlgorithmFiles.entrypointOf(contents.keySet()).orElse(null);
    }
}
