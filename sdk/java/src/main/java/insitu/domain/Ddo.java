package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.json.JsonArray;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A DID document: what an asset is, who published it, and which services it offers.
 *
 * @param json the document as it was read; nothing of it is lost
 * @param id its DID; empty in a fragment
 * @param created when it was made, such as {@code 2019-04-09T19:02:11Z}
 * @param updated when this version was made
 * @param keys the published keys
 * @param services in the order of the document
 * @param proof who published it and what its DID commits to, if it says so
 */
public record Ddo(
        JsonObject json,
        String id,
        @Nullable String created,
        @Nullable String updated,
        List<PublicKey> keys,
        List<Service> services,
        @Nullable Proof proof) {
    /** A published key: its kind, and the account that it belongs to. */
    public record PublicKey(@Nullable String type, @Nullable String owner) {}

    /**
     * One entry of {@code service[]}.
     *
     * @param json the entry as it was read
     * @param index serviceDefinitionId; null if there is none
     * @param type such as {@code compute}
     * @param endpoint serviceEndpoint
     * @param templateId address of the contract of its agreements
     * @param attributes null if there are none
     * @param main {@code attributes.main}; empty if there is none. The DID commits to that of version 1
     */
    public record Service(
            JsonObject json,
            @Nullable Long index,
            @Nullable String type,
            @Nullable String endpoint,
            @Nullable String templateId,
            @Nullable JsonObject attributes,
            JsonObject main) {}

    /**
     * Who published a document.
     *
     * @param signatureValue signs the DID and the version: 0x and hexadecimal digits
     * @param request in its place: a signed request to the registry that registers this version
     * @param checksum service index, checksum of the service's {@code main}
     * @param origin what {@code checksum} was in version 1, if a later version changed a {@code main}
     */
    public record Proof(
            @Nullable String type,
            @Nullable String created,
            @Nullable String creator,
            @Nullable String signatureValue,
            @Nullable JsonObject request,
            @Nullable Map<String, String> checksum,
            @Nullable Map<String, String> origin) {}

    /** What proves a version: the 32 bytes that were signed, and the signature of a key or a contract account. */
    public record Signed(byte[] digest, byte[] signature) {}

    /**
     * Reads a document leniently, because documents of several generations exist: fragments, empty services, short DIDs,
     * indices as text, and unknown members are accepted.
     *
     * @throws InsituException {@code InvalidDocument} with a pointer to a member of the wrong type
     */
    public static Ddo read(JsonValue json) {
        Place at = Place.of(json);
        at.at("authentication").orElse(List.of(), list -> list.list(Place::object));
        String id = at.at("id").optional(Place::text);
        return new Ddo(
                at.object(),
                id == null ? "" : id,
                at.at("created").optional(Place::text),
                at.at("updated").optional(Place::text),
                at.at("publicKey").orElse(List.of(), list -> list.list(Ddo::key)),
                at.at("service").orElse(List.of(), list -> list.list(Ddo::service)),
                at.at("proof").optional(Ddo::proof));
    }

    private static PublicKey key(Place at) {
        at.at("id").optional(Place::text);
        return new PublicKey(at.at("type").optional(Place::text), at.at("owner").optional(Place::text));
    }

    private static Service service(Place at) {
        Place attributes = at.at("attributes");
        attributes.optional(Ddo::checkAttributes);
        JsonObject main = attributes.optional(given -> given.at("main").orElse(JsonObject.EMPTY, Place::object));
        return new Service(
                at.object(),
                at.at(at.at("index").isAbsent() ? "serviceDefinitionId" : "index")
                        .optional(Place::index),
                at.at("type").optional(Place::text),
                at.at("serviceEndpoint").optional(Place::text),
                at.at("templateId").optional(Place::text),
                attributes.optional(Place::object),
                main == null ? JsonObject.EMPTY : main);
    }

    private static JsonObject checkAttributes(Place at) {
        String described = at.at("additionalInformation").isAbsent() ? "additional" : "additionalInformation";
        for (String name : List.of(described, "curation", "serviceAgreementTemplate")) {
            at.at(name).optional(Place::object);
        }
        return at.object();
    }

    private static Proof proof(Place at) {
        return new Proof(
                at.at("type").optional(Place::text),
                at.at("created").optional(Place::text),
                at.at("creator").optional(Place::text),
                at.at("signatureValue").optional(Place::text),
                at.at("request").optional(Place::object),
                at.at("checksum").optional(Ddo::checksums),
                at.at("origin").optional(origin -> origin.at("checksum").optional(Ddo::checksums)));
    }

    private static Map<String, String> checksums(Place at) {
        return at.map(Place::text);
    }

    /** Returns {@code main} of the metadata service; empty if there is none. */
    public JsonObject main() {
        return services.stream()
                .filter(service -> "metadata".equals(service.type()))
                .findFirst()
                .map(Service::main)
                .orElse(JsonObject.EMPTY);
    }

    /** Returns {@code dataset}, {@code algorithm}, {@code workflow} …; empty if the document does not say. */
    public String assetType() {
        return main().get("type") instanceof JsonString type ? type.value() : "";
    }

    /**
     * Returns the compute service with this index, or without one that with the smallest index.
     *
     * @throws InsituException {@code ServiceNotFound}, or {@code NoComputeService} if the asset offers none
     */
    public Service computeService(@Nullable Long index) {
        Stream<Service> offered = services.stream().filter(service -> "compute".equals(service.type()));
        if (index != null) {
            return offered.filter(service -> index.equals(service.index()))
                    .findFirst()
                    .orElseThrow(() ->
                            new InsituException(ErrorCode.ServiceNotFound, id + " has no compute service " + index));
        }
        return offered.min(Comparator.comparing(Service::index, Comparator.nullsLast(Comparator.naturalOrder())))
                .orElseThrow(() -> new InsituException(ErrorCode.NoComputeService, id + " offers no compute service"));
    }

    /**
     * Returns the map for {@code proof.checksum}: index, SHA3-256 of the canonical {@code main}.
     *
     * @throws InsituException {@code InvalidDocument} if two services share an index
     */
    public Map<String, String> serviceChecksums() {
        Map<String, String> checksums = new LinkedHashMap<>();
        for (int position = 0; position < services.size(); position++) {
            Service service = services.get(position);
            if (service.index() == null || service.attributes() == null) {
                continue;
            }
            if (checksums.put(service.index().toString(), Hashes.checksum(service.main())) != null) {
                String detail = "two services have index " + service.index();
                throw new InsituException(ErrorCode.InvalidDocument, detail, "/service/" + position + "/index");
            }
        }
        return checksums;
    }

    /**
     * Returns the checksum that the registry has for this version, 64 hexadecimal digits: the SHA3-256 of the canonical
     * document without {@code proof}, which contains it, and {@code curation}, which belongs to the marketplace.
     */
    public String onchainChecksum() {
        JsonObject kept = json.without(Set.of("proof", "curation"));
        if (kept.get("service") instanceof JsonArray entries) {
            kept = kept.with(
                    "service",
                    new JsonArray(
                            entries.items().stream().map(Ddo::withoutCuration).toList()));
        }
        return Hashes.checksum(kept);
    }

    private static JsonValue withoutCuration(JsonValue entry) {
        return entry instanceof JsonObject service && service.get("attributes") instanceof JsonObject attributes
                ? service.with("attributes", attributes.without(Set.of("curation")))
                : entry;
    }

    /** Refuses a document that is not the version that the chain names, with {@code ChecksumMismatch}. */
    public void requireChecksum(String registered) {
        String actual = onchainChecksum();
        if (!actual.equals(Bytes.plainDigits(registered))) {
            String detail =
                    "the document of " + id + " has checksum " + actual + ", but " + registered + " is registered";
            throw new InsituException(ErrorCode.ChecksumMismatch, detail);
        }
    }

    /** Returns {@code proof.checksum} of version 1, as this version states it; empty if it does not. */
    public Map<String, String> origin() {
        if (proof == null) {
            return Map.of();
        }
        Map<String, String> stated = proof.origin() == null ? proof.checksum() : proof.origin();
        return stated == null ? Map.of() : stated;
    }

    /**
     * Returns the account from which the DID derives, after checking the service checksums and the DID.
     *
     * @throws InsituException {@code ChecksumMismatch} if a {@code main} or the DID was changed, {@code VersionNotAllowed}
     *     if there are other services than in version 1, {@code InvalidDocument}, {@code InvalidDid} or {@code InvalidId}
     *     if parts are missing
     */
    public Address creator() {
        if (proof == null || proof.creator() == null || proof.checksum() == null) {
            throw new InsituException(ErrorCode.InvalidDocument, "proof needs creator and checksum", "/proof");
        }
        Address creator = new Address(proof.creator());
        requireStated(serviceChecksums(), proof.checksum());
        Map<String, String> first = origin();
        if (proof.origin() != null && first.equals(proof.checksum())) {
            String detail = "proof.origin repeats proof.checksum: only a version that changed a main has an origin";
            throw new InsituException(ErrorCode.VersionNotAllowed, detail, "/proof/origin");
        }
        String derived = Did.derive(first, creator).text();
        if (!derived.equals(Did.readOlder(id))) {
            throw new InsituException(
                    ErrorCode.ChecksumMismatch, "the DID should be " + derived + ", not " + id, "/id");
        }
        if (!first.keySet().equals(proof.checksum().keySet())) {
            String detail = "version 1 of " + id + " has the services " + new TreeSet<>(first.keySet())
                    + ", and a later one keeps them";
            throw new InsituException(ErrorCode.VersionNotAllowed, detail, "/service");
        }
        return creator;
    }

    private static void requireStated(Map<String, String> actual, Map<String, String> stated) {
        Set<String> indices = new TreeSet<>(actual.keySet());
        indices.addAll(stated.keySet());
        for (String index : indices) {
            if (!stated.containsKey(index) || !stated.get(index).equals(actual.get(index))) {
                String detail = "proof.checksum of service " + index + " does not match its main";
                throw new InsituException(ErrorCode.ChecksumMismatch, detail, "/proof/checksum/" + index);
            }
        }
    }

    /**
     * Returns what proves this version.
     *
     * @throws InsituException {@code SignatureMismatch} if there is no readable signature or it is for another version;
     *     {@code InvalidDid}; {@code InvalidDocument}
     */
    public Signed signed() {
        String did = Did.readOlder(id);
        InputVersion version = new InputVersion(did, onchainChecksum());
        if (proof == null || (proof.signatureValue() == null && proof.request() == null)) {
            throw new InsituException(
                    ErrorCode.SignatureMismatch, "the document has no proof.signatureValue", "/proof");
        }
        if (proof.signatureValue() != null) {
            byte[] digest = Signatures.personalDigest(did + "\n" + version.checksum());
            return new Signed(digest, Signatures.ofAccount(proof.signatureValue()));
        }
        SignedRequest request = SignedRequest.read(proof.request(), "/proof/request");
        if (!request.versions().contains(version)) {
            String detail = "proof.request does not register this version of " + id;
            throw new InsituException(ErrorCode.SignatureMismatch, detail, "/proof/request");
        }
        return new Signed(request.data().digest(), Signatures.ofAccount(request.signature()));
    }
}
