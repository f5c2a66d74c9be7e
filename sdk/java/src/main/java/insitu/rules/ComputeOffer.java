package insitu.rules;

import insitu.domain.Address;
import insitu.domain.Policy;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the owner of a data set offers and under which rules.
 *
 * <p>Every rule is written, so that no later default changes what the owner meant.
 *
 * @param price of an agreement, in base units; added to the server's price
 * @param timeout seconds after the purchase in which executions may start
 * @param containers as {@code supportedContainers} in documents
 * @param servers as {@code supportedServers} in documents
 * @param algorithms those that may run, each in one version; null for any, or for those of the publishers alone
 * @param publishers whose algorithms may all run
 * @param output limits: {@code maxBytes}, {@code maxFiles}, {@code maxLogBytes}, {@code types}
 * @param maxExecutions of one agreement; null for 100 and one for each day of {@code timeout}
 * @param rules other members of the policy, such as {@code consumers}, {@code use} and {@code logs}
 */
public record ComputeOffer(
        BigInteger price,
        long timeout,
        List<JsonObject> containers,
        List<JsonObject> servers,
        @Nullable List<Policy.Reference> algorithms,
        List<Address> publishers,
        JsonObject output,
        @Nullable Long maxExecutions,
        JsonObject rules) {
    private static final long DAY = 86_400;
    private static final long MAX_FILES = 100;
    // For an owner who limits nothing: as much as the runtime keeps of what one attempt prints.
    private static final long MAX_LOG_BYTES = 16 * 1024 * 1024;
    private static final JsonObject RULES = Json.objectOf(Map.of(
            "consumers", "any",
            "logs", "live",
            "revisions", "untilSuccess",
            "parameters", List.of(),
            "failures", "charged",
            "data", "newest"));

    /** Returns an offer without limits but those that every offer has: any algorithm, any consumer, one day. */
    public static ComputeOffer any(BigInteger price, List<JsonObject> containers, List<JsonObject> servers) {
        return new ComputeOffer(
                price, DAY, containers, servers, null, List.of(), JsonObject.EMPTY, null, JsonObject.EMPTY);
    }

    /**
     * Returns the service as a {@link Description} takes it.
     *
     * @throws insitu.InsituException {@code InvalidDocument} for a limit that is none
     */
    public JsonObject service() {
        Map<String, Object> environment = Map.of(
                "cluster", Map.of("type", "insitu", "url", ""),
                "supportedContainers", containers,
                "supportedServers", servers);
        Map<String, Object> main = Map.of(
                "price", price.toString(),
                "timeout", timeout,
                "provider", Map.of("type", "insitu", "description", "", "environment", environment),
                "policy", policy());
        return Json.objectOf(Map.of("type", "compute", "attributes", Map.of("main", main)));
    }

    private JsonObject policy() {
        Map<String, Object> policy = new LinkedHashMap<>();
        policy.put("version", Policy.VERSION);
        if (!publishers.isEmpty()) {
            policy.put("publishers", publishers.stream().map(Address::text).toList());
        }
        if (algorithms != null) {
            policy.put(
                    "algorithms",
                    algorithms.stream()
                            .map(one -> Map.of("did", one.did(), "checksum", one.checksum()))
                            .toList());
        } else if (publishers.isEmpty()) {
            policy.put("algorithms", "any");
        }
        JsonObject written = Json.objectOf(policy).with(RULES).with(rules);
        long days = (timeout + DAY - 1) / DAY;
        long executions = maxExecutions == null ? Policy.DEFAULT_MAX_EXECUTIONS + days : maxExecutions;
        return written.with("maxExecutions", Json.of(executions)).with("output", writtenOutput());
    }

    private JsonObject writtenOutput() {
        boolean areFree = new JsonString("free").equals(rules.get("failures"));
        long most = areFree ? Policy.FREE_FAILURE_LOG_BYTES : MAX_LOG_BYTES;
        long log = Policy.read(JsonObject.EMPTY.with("output", output))
                .output()
                .effectiveLogBytes()
                .orElse(most);
        return Json.objectOf(Map.of("maxFiles", MAX_FILES, "maxLogBytes", Math.min(log, most)))
                .with(output);
    }
}
