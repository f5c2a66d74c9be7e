package insitu.domain;

import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.json.Json;
import insitu.json.JsonArray;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The Idempotency-Key of a publication: the same description has the same key in every SDK (ADR 0129). */
public final class PublicationKey {
    private PublicationKey() {}

    /**
     * Returns the SHA-256 of the canonical JSON of purpose, chain, registry, gateway, creator and description, 64
     * hexadecimal digits. The list itself never leaves the client, because it names the urls that the gateway seals.
     *
     * @param gateway its address without the path of the API
     * @param description as the caller gave it, before any default is filled in
     * @param digests {@code upload:} url, SHA-256 of its bytes, which stands in its place: each upload has another url
     */
    public static String of(
            long chainId,
            Address registry,
            String gateway,
            Address creator,
            JsonObject description,
            Map<String, String> digests) {
        JsonValue described = withDigests(description, digests);
        return Bytes.digits(Hashes.sha256(Json.canonical(
                Json.of(List.of("insitu publication", chainId, registry.text(), gateway, creator.text(), described)))));
    }

    private static JsonValue withDigests(JsonValue value, Map<String, String> digests) {
        if (value instanceof JsonString text) {
            return new JsonString(digests.getOrDefault(text.value(), text.value()));
        }
        if (value instanceof JsonArray list) {
            return new JsonArray(list.items().stream()
                    .map(item -> withDigests(item, digests))
                    .toList());
        }
        if (value instanceof JsonObject object) {
            Map<String, JsonValue> members = new LinkedHashMap<>();
            object.members().forEach((name, member) -> members.put(name, withDigests(member, digests)));
            return new JsonObject(members);
        }
        return value;
    }
}
