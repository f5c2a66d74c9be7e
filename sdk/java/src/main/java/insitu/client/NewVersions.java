package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Ddo;
import insitu.domain.InputVersion;
import insitu.domain.SignedRequest;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import insitu.rules.Description;
import insitu.rules.DocumentRules;
import insitu.rules.UnsignedDdo;
import insitu.rules.Versions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes and registers new versions of what an account owns. */
final class NewVersions {
    /** A version that an interrupted call has published, and the request that still registers it. */
    record Waiting(UnsignedDdo unsigned, Registrations.Signed signed) {}

    private static final String TEMPLATE = "serviceAgreementTemplate";

    private final Provider provider;
    private final Registrations registrations;

    NewVersions(Provider provider) {
        this.provider = provider;
        this.registrations = new Registrations(provider);
    }

    /** Makes a version, and judges it by every rule of documents. Nothing is signed or published. */
    UnsignedDdo propose(Ddo ddo, List<JsonObject> services, String updated) throws InterruptedException {
        UnsignedDdo unsigned = UnsignedDdo.reviseDdo(ddo, services, provider.address(), updated);
        Ddo after = Ddo.read(unsigned.json());
        String template = provider.chain().contracts().template().text();
        Versions.requireAllowedChange(ddo, after, List.of(template));
        DocumentRules.validateNewDdo(after, true);
        return unsigned;
    }

    /**
     * Publishes and registers versions, all with one signature, and awaits their listing.
     *
     * @param request what an earlier call has signed for them
     */
    List<ResolvedAsset> register(List<UnsignedDdo> versions, Registrations.@Nullable Signed request)
            throws InterruptedException {
        provider.trust();
        Registrations.Signed signed = request == null ? registrations.signUpdates(versions) : request;
        for (UnsignedDdo version : versions) {
            provider.catalogue().update(version.did().text(), version.provedBy(signed.json()));
        }
        registrations.send(signed, versions);
        List<ResolvedAsset> found = new ArrayList<>();
        for (UnsignedDdo version : versions) {
            provider.catalogue().await(version.did().text(), version.checksum());
            found.add(provider.resolver().resolve(version.did().text()));
        }
        return List.copyOf(found);
    }

    /**
     * Returns the next version that an interrupted call has published, or null. The catalogue only says where to look: this
     * account has signed the request, which names the document.
     */
    @Nullable
    Waiting findWaiting(String did) throws InterruptedException {
        String pending = provider.catalogue().status(did).pending().orElse(null);
        if (pending == null) {
            return null;
        }
        Ddo ddo = provider.resolver()
                .read(did, provider.catalogue().documents(), pending)
                .ddo();
        JsonObject proof = ddo.proof() == null ? null : ddo.proof().request();
        if (proof == null || !UnsignedDdo.isSignedBy(ddo, provider.address())) {
            return null;
        }
        SignedRequest request = SignedRequest.read(proof, "/proof/request");
        Registrations.Signed signed = new Registrations.Signed(proof, request);
        boolean isNamed = request.versions().contains(new InputVersion(did, pending));
        return isNamed && registrations.isSendable(signed) ? new Waiting(UnsignedDdo.unsignedAgain(ddo), signed) : null;
    }

    /** Returns the entries of {@code service[]}. */
    static List<JsonObject> servicesOf(Ddo ddo) {
        return ddo.services().stream().map(Ddo.Service::json).toList();
    }

    /** Returns whether two lists of services are the same JSON. */
    static boolean areSame(List<JsonObject> some, List<JsonObject> others) {
        return Json.same(Json.of(some), Json.of(others));
    }

    /**
     * Returns the entries of {@code service[]} with changes merged in: a member replaces, null removes (RFC 7396). The
     * agreement's template follows the price. Throws {@code ServiceNotFound}, {@code InvalidDocument}.
     */
    static List<JsonObject> reviseServices(Ddo ddo, JsonObject assetMetadata, List<JsonObject> services) {
        Description described = Description.read(assetMetadata, services);
        JsonObject attributes = described.attributes();
        if (JsonObject.EMPTY.equals(attributes.get("additionalInformation"))) {
            attributes = attributes.without(Set.of("additionalInformation"));
        }
        List<JsonObject> changes = new ArrayList<>();
        changes.add(Json.objectOf(Map.of("type", "metadata")).with("attributes", attributes));
        changes.addAll(services);
        List<JsonObject> entries = new ArrayList<>(servicesOf(ddo));
        for (JsonObject change : changes) {
            int at = positionOf(ddo, change);
            JsonObject merged = (JsonObject) merge(entries.get(at), change);
            entries.set(at, followingPrice(merged, change));
        }
        return entries;
    }

    /** Returns the entries of {@code service[]} with a merge patch of what describes the asset, also of its sealed list. */
    static List<JsonObject> patchMetadata(List<JsonObject> entries, JsonObject attributes) {
        JsonObject change = JsonObject.EMPTY.with("attributes", attributes);
        return entries.stream()
                .map(entry -> new JsonString("metadata").equals(entry.get("type"))
                        ? (JsonObject) merge(entry, change)
                        : entry)
                .toList();
    }

    /** Returns a JSON value with a merge patch applied (RFC 7396). */
    private static JsonValue merge(@Nullable JsonValue present, JsonValue change) {
        if (!(change instanceof JsonObject wanted)) {
            return change;
        }
        Map<String, JsonValue> merged =
                new LinkedHashMap<>(present instanceof JsonObject object ? object.members() : Map.of());
        wanted.members().forEach((name, member) -> {
            if (member == JsonNull.NULL) {
                merged.remove(name);
            } else {
                merged.put(name, merge(merged.get(name), member));
            }
        });
        return new JsonObject(merged);
    }

    private static int positionOf(Ddo ddo, JsonObject wanted) {
        Place at = Place.of(wanted);
        Long index = at.at(at.at("index").isAbsent() ? "serviceDefinitionId" : "index")
                .optional(Place::index);
        String type = at.at("type").optional(Place::text);
        for (int position = 0; position < ddo.services().size(); position++) {
            Ddo.Service entry = ddo.services().get(position);
            if (index == null ? Objects.equals(type, entry.type()) : index.equals(entry.index())) {
                return position;
            }
        }
        String named = index == null ? String.valueOf(type) : index.toString();
        throw new InsituException(ErrorCode.ServiceNotFound, ddo.id() + " has no service " + named);
    }

    private static JsonObject followingPrice(JsonObject entry, JsonObject change) {
        JsonValue price = mainOf(entry).get("price");
        JsonValue template = mainOf(entry).get(TEMPLATE);
        boolean isCompute = new JsonString("compute").equals(entry.get("type"));
        if (!isCompute || price == null || template == null || mainOf(change).get("price") == null) {
            return entry;
        }
        String said = price instanceof JsonString text ? text.value() : Json.text(price);
        JsonObject main = mainOf(entry).with(TEMPLATE, Versions.withPrice(template, said));
        JsonObject attributes = (JsonObject) Objects.requireNonNull(entry.get("attributes"));
        return entry.with("attributes", attributes.with("main", main));
    }

    private static JsonObject mainOf(JsonObject entry) {
        return entry.get("attributes") instanceof JsonObject attributes
                        && attributes.get("main") instanceof JsonObject main
                ? main
                : JsonObject.EMPTY;
    }
}
