package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.Ddo;
import insitu.domain.Did;
import insitu.domain.PublicationKey;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import insitu.rules.AlgorithmFiles;
import insitu.rules.Description;
import insitu.rules.DocumentRules;
import insitu.rules.UnsignedDdo;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Publishes as one call that can be repeated: describe, seal, sign, publish, register, await the listing (P1-P3). */
final class Publisher {
    /** A document that is ready to be signed, published and registered, with the key of its description. */
    record Prepared(UnsignedDdo unsigned, String key, boolean withoutCompute) {}

    private final Provider provider;
    private final Registrations registrations;
    private final Map<String, String> uploaded = new ConcurrentHashMap<>();

    Publisher(Provider provider) {
        this.provider = provider;
        this.registrations = new Registrations(provider);
    }

    /** Returns the current time as documents write it. */
    static String now() {
        return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /**
     * Makes the document of an asset, or finds that of an earlier call. Nothing is signed or published.
     *
     * @param identity what makes two calls equal
     */
    Prepared prepare(Description description, Address keyOwner, boolean withoutCompute, JsonObject identity)
            throws InterruptedException {
        provider.trust();
        requireRules(description, keyOwner, withoutCompute);
        String key = keyOf(identity);
        UnsignedDdo earlier = findEarlier(key, description);
        return new Prepared(earlier == null ? assemble(description, keyOwner) : earlier, key, withoutCompute);
    }

    /** Makes the document of an algorithm, or finds the equal one of an earlier call, and uploads its files if they are new. */
    Prepared prepareAlgorithm(JsonObject attributes, Map<String, byte[]> contents) throws InterruptedException {
        List<JsonObject> files = AlgorithmFiles.describeContents(contents);
        JsonObject digests = JsonObject.EMPTY;
        List<JsonObject> nameless = new ArrayList<>();
        for (JsonObject file : files) {
            digests = digests.with(nameOf(file), Objects.requireNonNull(file.get("checksum")));
            nameless.add(file.without(Set.of("name")));
        }
        JsonObject identity = attributes.with("contents", digests);
        Description shown = Description.read(withFiles(attributes, nameless), List.of());
        provider.trust();
        requireRules(shown, provider.address(), false);
        String key = keyOf(identity);
        UnsignedDdo earlier = findEarlier(key, shown);
        if (earlier != null) {
            return new Prepared(earlier, key, false);
        }
        Description described = Description.read(withFiles(attributes, upload(contents)), List.of());
        return new Prepared(assemble(described, provider.address()), key, false);
    }

    /** Uploads files, and describes them with their urls. */
    List<JsonObject> upload(Map<String, byte[]> contents) throws InterruptedException {
        List<JsonObject> files = new ArrayList<>();
        for (JsonObject file : AlgorithmFiles.describeContents(contents)) {
            String url = provider.gateway().upload(Objects.requireNonNull(contents.get(nameOf(file))));
            files.add(file.with("url", Json.of(url)));
        }
        return files;
    }

    /** Publishes and registers documents with one signature, and awaits their listing. */
    List<PublishedAsset> registerAll(List<Prepared> prepared) throws InterruptedException {
        List<Prepared> fresh = new ArrayList<>();
        for (Prepared one : prepared) {
            DidRecord record = provider.chain().find(one.unsigned().did().text());
            if (record == null) {
                fresh.add(one);
            } else if (!record.current().checksum().equals(one.unsigned().checksum())) {
                throw taken(one.unsigned().did());
            }
        }
        if (!fresh.isEmpty()) {
            register(fresh);
        }
        List<PublishedAsset> published = new ArrayList<>();
        for (Prepared one : prepared) {
            String did = one.unsigned().did().text();
            provider.catalogue().await(did, one.unsigned().checksum());
            published.add(new PublishedAsset(provider.resolver().resolve(did), !fresh.contains(one)));
        }
        return List.copyOf(published);
    }

    private void register(List<Prepared> fresh) throws InterruptedException {
        List<UnsignedDdo> documents = fresh.stream().map(Prepared::unsigned).toList();
        Registrations.Signed signed = registrations.sign(documents);
        for (Prepared one : fresh) {
            JsonObject document = one.unsigned().provedBy(signed.json());
            AssetStatus status = provider.catalogue().publish(document, one.key(), one.withoutCompute());
            // The key is that of an asset that is no longer ours, or that another call made at the same time.
            if (!status.did().equals(one.unsigned().did().text())) {
                provider.catalogue().publish(document, "", one.withoutCompute());
            }
        }
        registrations.send(signed, documents);
    }

    /** Refuses a description that breaks a rule, before anybody signs. */
    private void requireRules(Description description, Address keyOwner, boolean withoutCompute)
            throws InterruptedException {
        String created = now();
        UnsignedDdo document =
                UnsignedDdo.assemble(services(description, created), provider.address(), created, keyOwner, null);
        DocumentRules.validateNewDdo(Ddo.read(document.json()), withoutCompute);
    }

    private UnsignedDdo assemble(Description description, Address keyOwner) throws InterruptedException {
        Address creator = provider.address();
        Set<String> tried = new HashSet<>();
        for (Instant moment = Instant.parse(now()); ; moment = moment.plusSeconds(1)) {
            List<JsonObject> services = services(description, moment.toString());
            Map<String, String> checksums = UnsignedDdo.checksumsOf(services);
            Did did = Did.derive(checksums, creator);
            if (!tried.add(did.text())) {
                throw taken(did);
            }
            // Assets that differ only in what is sealed have the same DID if made in the same second.
            if (provider.chain().find(did.text()) == null) {
                String sealed = description.namesUrls()
                        ? provider.gateway().seal(did.text(), checksums, description.files())
                        : null;
                return UnsignedDdo.assemble(services, creator, moment.toString(), keyOwner, sealed);
            }
        }
    }

    private List<JsonObject> services(Description description, String created) throws InterruptedException {
        Deployment contracts = provider.chain().contracts();
        Description.Surroundings surroundings = new Description.Surroundings(
                provider.catalogue().documents(), provider.gateway().url(), contracts.template(), contracts.chainId());
        return description.completeServices(description.publicFiles(), surroundings, provider.address(), created);
    }

    private String keyOf(JsonObject identity) throws InterruptedException {
        Deployment contracts = provider.chain().contracts();
        return PublicationKey.of(
                contracts.chainId(),
                contracts.registry(),
                provider.gateway().url(),
                provider.address(),
                identity,
                uploaded);
    }

    /**
     * Returns the document that this account published under a key, or null. Gateway and catalogue only say where to look: it
     * counts if its DID is that of this description, and if it is registered and ours, or signed by this account.
     */
    private @Nullable UnsignedDdo findEarlier(String key, Description description) throws InterruptedException {
        AssetStatus status;
        try {
            status = provider.gateway().get("/publications/" + key, AssetStatus::read);
        } catch (InsituException refusal) {
            if (!refusal.kind().equals("NotFound")) {
                throw refusal;
            }
            return null;
        }
        DidRecord record = provider.chain().find(status.did());
        boolean isOurs = record == null || record.owner().equals(provider.address());
        if (!isOurs || status.state().equals("retired")) {
            return null;
        }
        Resolver.Proved found =
                provider.resolver().read(status.did(), provider.catalogue().documents(), status.checksum());
        Ddo ddo = found.ddo();
        if (!found.creator().equals(provider.address())) {
            String detail = "the catalogue says that " + status.did() + " is ours, but it is not";
            throw new InsituException(ErrorCode.ChecksumMismatch, detail);
        }
        Map<String, String> checksums = UnsignedDdo.checksumsOf(services(description, String.valueOf(ddo.created())));
        boolean isThis = Did.derive(checksums, provider.address()).text().equals(ddo.id());
        boolean isKnown = record != null || UnsignedDdo.isSignedBy(ddo, provider.address());
        return isThis && isKnown ? UnsignedDdo.unsignedAgain(ddo) : null;
    }

    private static JsonObject withFiles(JsonObject attributes, List<JsonObject> files) {
        JsonObject main = (JsonObject) attributes.members().getOrDefault("main", JsonObject.EMPTY);
        return attributes.with("main", main.with("files", Json.of(files)));
    }

    private static String nameOf(JsonObject file) {
        JsonValue name = file.members().getOrDefault("name", JsonNull.NULL);
        return Place.of(name).text();
    }

    private static InsituException taken(Did did) {
        return new InsituException(ErrorCode.DIDExists, did + " is registered with other files or details");
    }
}
