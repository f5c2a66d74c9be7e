package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Ddo;
import insitu.domain.InputVersion;
import insitu.domain.Workflow;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import insitu.rules.AlgorithmFiles;
import insitu.rules.Description;
import insitu.rules.UnsignedDdo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One revision of a bought workflow: what is to run, and what is published for it (ADR 0124, ADR 0139). */
final class Revising {
    /** The member of additionalInformation by which a version is found again. */
    private static final String DIGEST = "contents";

    private final Provider provider;
    private final NewVersions versions;
    private final Revision revision;
    private final ResolvedAsset workflow;
    // The algorithm of this account whose next version it becomes.
    private final @Nullable ResolvedAsset own;
    private final boolean isPublished;
    private final JsonObject described;

    /** Reads what is to run in the only stage of a workflow. Nothing is signed, uploaded or published. */
    Revising(Provider provider, String workflowDid, Revision revision) throws InterruptedException {
        this.provider = provider;
        this.versions = new NewVersions(provider);
        this.revision = revision;
        this.workflow = provider.resolver().resolve(workflowDid);
        JsonObject present = Place.of(workflow.ddo().main()).at("workflow").object();
        List<Workflow.Stage> stages = Workflow.read(present).stages();
        if (stages.size() != 1) {
            String detail = "the workflow has several stages: change it with assets().updateAsset, which names them";
            throw new InsituException(ErrorCode.InvalidRequest, detail);
        }
        JsonObject configured = revision.configuration() == null
                ? present
                : withStage(present, "configuration", revision.configuration());
        if (revision.contents() == null) {
            ResolvedAsset algorithm = provider.resolver().resolve(revision.algorithm());
            this.own = null;
            this.isPublished = true;
            this.described = pinning(configured, algorithm.did(), algorithm.checksum());
            return;
        }
        ResolvedAsset found = own(stages.get(0).transformation());
        this.isPublished = found != null && isIn(NewVersions.servicesOf(found.ddo()), found.did());
        this.own = found;
        this.described = isPublished && found != null
                ? pinning(configured, found.did(), found.checksum())
                : withStage(configured, "transformation", JsonObject.EMPTY);
    }

    /** Returns {@code main.workflow} as it shall be; without the id of an algorithm that is not published yet. */
    JsonObject described() {
        return described;
    }

    /** Registers what is new, and returns the on-chain checksum of the workflow's version. */
    String publish() throws InterruptedException {
        if (!isPublished && own != null) {
            return publishBoth(own);
        }
        JsonObject wanted = described;
        if (!isPublished) {
            PublishedAsset made = publishAlgorithm();
            wanted = pinning(described, made.did(), made.checksum());
        }
        List<JsonObject> entries = entries(wanted);
        if (NewVersions.areSame(entries, NewVersions.servicesOf(workflow.ddo()))) {
            return workflow.checksum();
        }
        NewVersions.Waiting waiting = versions.findWaiting(workflow.did());
        boolean isSame = waiting != null && NewVersions.areSame(servicesOf(waiting.unsigned()), entries);
        UnsignedDdo next = isSame ? waiting.unsigned() : versions.propose(workflow.ddo(), entries, Publisher.now());
        versions.register(List.of(next), isSame ? waiting.signed() : null);
        return next.checksum();
    }

    /**
     * Registers the next versions of algorithm and workflow with one signature. The algorithm's document goes first: with its
     * time the workflow's can be made again, so an interrupted call can be finished.
     */
    private String publishBoth(ResolvedAsset algorithm) throws InterruptedException {
        NewVersions.Waiting waiting = versions.findWaiting(algorithm.did());
        boolean isSame = waiting != null && isIn(servicesOf(waiting.unsigned()), algorithm.did());
        UnsignedDdo changed = isSame ? waiting.unsigned() : nextAlgorithm(algorithm);
        String updated = Place.of(changed.json()).at("updated").text();
        JsonObject wanted = pinning(described, algorithm.did(), changed.checksum());
        UnsignedDdo next = versions.propose(workflow.ddo(), entries(wanted), updated);
        InputVersion named = new InputVersion(next.did().text(), next.checksum());
        Registrations.Signed signed =
                isSame && waiting.signed().request().versions().contains(named) ? waiting.signed() : null;
        versions.register(List.of(changed, next), signed);
        return next.checksum();
    }

    private UnsignedDdo nextAlgorithm(ResolvedAsset algorithm) throws InterruptedException {
        List<JsonObject> files = provider.publisher().upload(contents());
        String sealed = provider.gateway().seal(algorithm.did(), null, files);
        List<JsonObject> shown =
                files.stream().map(file -> file.without(Set.of("url", "name"))).toList();
        JsonObject start = JsonObject.EMPTY.with("entrypoint", Json.of(revision.start()));
        JsonObject change = Json.objectOf(Map.of(
                "main", Map.of("files", shown, "algorithm", start),
                "additionalInformation", Map.of(DIGEST, digest(algorithm.did())),
                "encryptedFiles", sealed));
        List<JsonObject> entries = NewVersions.patchMetadata(NewVersions.servicesOf(algorithm.ddo()), change);
        return versions.propose(algorithm.ddo(), entries, Publisher.now());
    }

    private PublishedAsset publishAlgorithm() throws InterruptedException {
        JsonObject algorithm = AlgorithmFiles.describeAlgorithm(contents().keySet(), revision.entrypoint(), null);
        JsonObject main = Json.objectOf(Map.of(
                "name",
                revision.algorithm(),
                "type",
                "algorithm",
                "author",
                provider.address().text(),
                "license",
                About.NOTHING.license(),
                "price",
                "0",
                "algorithm",
                algorithm));
        JsonObject attributes = Description.attributesOf(main, "", List.of(), List.of());
        Publisher.Prepared prepared = provider.publisher().prepareAlgorithm(attributes, contents());
        return provider.publisher().registerAll(List.of(prepared)).get(0);
    }

    /** Returns an algorithm that this account made, owns and has not retired, in its present version, or null. */
    private @Nullable ResolvedAsset own(@Nullable String did) throws InterruptedException {
        DidRecord record = did == null ? null : provider.chain().find(did);
        if (record == null || !record.owner().equals(provider.address())) {
            return null;
        }
        ResolvedAsset asset = provider.resolver().resolve(record.current().did());
        boolean isOurs = asset.creator().equals(provider.address());
        return isOurs && !provider.catalogue().status(asset.did()).state().equals("retired") ? asset : null;
    }

    /** Returns whether services describe the same files and the same start, which names a single file. */
    private boolean isIn(List<JsonObject> services, String did) {
        Ddo ddo = Ddo.read(Json.objectOf(Map.of("service", services)));
        List<JsonValue> ours = new ArrayList<>();
        AlgorithmFiles.describeContents(contents())
                .forEach(file -> ours.add(Objects.requireNonNull(file.get("checksum"))));
        Place main = Place.of(ddo.main());
        List<JsonValue> theirs = main.at("files")
                .orElse(
                        List.of(),
                        files -> files.list(file -> file.object().members().getOrDefault("checksum", JsonNull.NULL)));
        String start = main.at("algorithm").at("entrypoint").optional(Place::text);
        if (!ours.equals(theirs) || !Objects.equals(start, revision.start())) {
            return false;
        }
        Ddo.Service metadata = ddo.services().stream()
                .filter(service -> "metadata".equals(service.type()))
                .findFirst()
                .orElseThrow();
        Place told = Place.of(metadata.json()).at("attributes").at("additionalInformation");
        return ours.size() == 1
                || (told.value() instanceof JsonObject
                        && Json.of(digest(did)).equals(told.at(DIGEST).value()));
    }

    /** Returns the hash of names and contents for a version of this DID, whose list of files hides the names. */
    private String digest(String did) {
        Map<String, String> digests = new TreeMap<>();
        contents().forEach((name, bytes) -> digests.put(name, Bytes.digits(Hashes.sha256(bytes))));
        return Bytes.digits(Hashes.sha256(Json.canonical(Json.of(List.of(did, digests)))));
    }

    private Map<String, byte[]> contents() {
        return Objects.requireNonNull(revision.contents());
    }

    private List<JsonObject> entries(JsonObject wanted) {
        JsonObject change = JsonObject.EMPTY.with("main", JsonObject.EMPTY.with("workflow", wanted));
        return NewVersions.reviseServices(workflow.ddo(), change, List.of());
    }

    private static List<JsonObject> servicesOf(UnsignedDdo unsigned) {
        return NewVersions.servicesOf(Ddo.read(unsigned.json()));
    }

    private static JsonObject pinning(JsonObject described, String did, String checksum) {
        return withStage(described, "transformation", Json.objectOf(Map.of("id", did, "checksum", checksum)));
    }

    private static JsonObject withStage(JsonObject described, String member, JsonObject value) {
        JsonObject stage = Place.of(described).at("stages").list(Place::object).get(0);
        return described.with("stages", Json.of(List.of(stage.with(member, value))));
    }
}
