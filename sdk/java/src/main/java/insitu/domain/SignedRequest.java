package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.JsonArray;
import insitu.json.JsonNumber;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A request to the registry that an owner signed and anybody may send; also what proves documents that are pending.
 *
 * @param data what was signed
 * @param signature of a key, or what a contract account accepts: 0x and hexadecimal digits
 * @param dids the assets that it concerns, in its order
 * @param versions the versions that it registers
 */
public record SignedRequest(TypedData data, String signature, List<Did> dids, List<InputVersion> versions) {
    private static final int MOST = 16;
    private static final Pattern SIGNATURE = Pattern.compile("0x(?:[0-9a-fA-F]{2}){65,4096}");
    private static final Map<String, String> TYPES = Map.of(
            "registrations", Structs.REGISTRATIONS,
            "updates", Structs.UPDATES,
            "transfer", Structs.TRANSFER,
            "providerChange", Structs.PROVIDER_CHANGE);

    /**
     * Reads a signed request. Unknown members are refused, so that nothing that was not signed is trusted.
     *
     * @param pointer where it is in a larger document
     * @throws InsituException {@code InvalidDocument} with that pointer
     */
    public static SignedRequest read(JsonValue json, String pointer) {
        try {
            return read(Place.strictly(json));
        } catch (InsituException cause) {
            String detail = "this is not a signed request to the registry: " + cause.detail();
            throw new InsituException(ErrorCode.InvalidDocument, detail, pointer);
        }
    }

    private static SignedRequest read(Place at) {
        at.object("chainId", "registry", "registrations", "updates", "transfer", "providerChange", "signature");
        List<String> given = TYPES.keySet().stream()
                .filter(kind -> at.at(kind).optional(Place::object) != null)
                .toList();
        if (given.size() != 1) {
            throw at.refusal("exactly one request is needed");
        }
        String kind = given.get(0);
        JsonObject message = at.at(kind).object();
        if (kind.equals("registrations")) {
            message =
                    message.with("items", new JsonArray(at.at(kind).at("items").list(SignedRequest::registration)));
        }
        SigningDomain domain = SigningDomain.of(
                "DIDRegistry",
                at.at("chainId").integer(1, JsonNumber.MAX),
                at.at("registry").address());
        TypedData data = TypedData.of(domain, TYPES.get(kind), message);
        String signature = at.at("signature").matching(SIGNATURE, "65 to 4096 bytes in hexadecimal digits");
        List<Map<?, ?>> items = itemsOf(data, at.at(kind));
        List<Did> dids = items.stream().map(item -> didOf(item, data)).toList();
        List<InputVersion> versions = Stream.iterate(0, place -> place < items.size(), place -> place + 1)
                .filter(place -> items.get(place).containsKey("checksum"))
                .map(place -> new InputVersion(dids.get(place).text(), Bytes.plainDigits((String)
                        items.get(place).get("checksum"))))
                .toList();
        return new SignedRequest(data, signature, dids, versions);
    }

    // The contract calls the seed of a DID didSeed, and documents seed.
    private static JsonValue registration(Place at) {
        at.object("seed", "checksum", "providers", "url");
        if (at.at("providers").list(Place::address).size() > MOST) {
            throw at.refusal("at most " + MOST + " providers are possible");
        }
        JsonValue seed = at.at("seed").scalar();
        return at.object().without(Set.of("seed")).with("didSeed", seed);
    }

    private static List<Map<?, ?>> itemsOf(TypedData data, Place at) {
        if (!(data.message().get("items") instanceof List<?> items)) {
            return List.of(data.message());
        }
        if (items.isEmpty() || items.size() > MOST) {
            throw at.refusal("from 1 to " + MOST + " items are possible");
        }
        return items.stream().<Map<?, ?>>map(item -> (Map<?, ?>) item).toList();
    }

    private static Did didOf(Map<?, ?> item, TypedData data) {
        Object seed = item.get("didSeed");
        return seed == null
                ? Did.ofHex((String) item.get("did"))
                : Did.hash(
                        Bytes.fromHex((String) seed), (Address) data.message().get("creator"));
    }
}
