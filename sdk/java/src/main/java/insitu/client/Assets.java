package insitu.client;

import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.Ddo;
import insitu.domain.Did;
import insitu.domain.Requests;
import insitu.domain.TypedData;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.rules.AlgorithmFiles;
import insitu.rules.ComputeOffer;
import insitu.rules.Description;
import insitu.rules.UnsignedDdo;
import insitu.rules.WorkflowStage;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds, publishes and changes assets. What is published and changed is signed once; the gateway sends it, and nothing needs coin. */
public final class Assets {
    // Seconds for which a request to a catalogue is good.
    private static final long SIGNED_FOR = 300;

    private final Provider provider;
    private final Catalogue catalogue;
    private final Publisher publisher;
    private final NewVersions versions;
    private final Registrations registrations;

    Assets(Provider provider) {
        this.provider = provider;
        this.catalogue = provider.catalogue();
        this.publisher = provider.publisher();
        this.versions = new NewVersions(provider);
        this.registrations = new Registrations(provider);
    }

    /** Finds listed assets by words; see {@link #search(Search)}. */
    public SearchPage search(String words) throws InterruptedException {
        return search(Search.of(words));
    }

    /**
     * Finds listed assets (P2). The catalogue says which there are, and nothing of the answer is proved.
     *
     * @throws InsituException {@code InvalidRequest} for a filter that does not exist, {@code PeerUnavailable}
     * @throws InterruptedException if this thread is interrupted
     */
    public SearchPage search(Search search) throws InterruptedException {
        return catalogue.ask("/ddo/query", search.json(), SearchPage::read);
    }

    /**
     * Counts the types, services, tags, categories, rules, authors, licenses, prices and states of what a search finds. The
     * newest 1,000 assets are counted; with {@code more} there are others, and each count is the least that it can be.
     * Throws like {@link #search(Search)}.
     */
    public JsonObject facets(Search search) throws InterruptedException {
        return catalogue.ask("/facets", search.filters(), Place::object);
    }

    /**
     * Returns what a list shows of at most 100 assets, as the catalogue says: {@code summaries}, and {@code unknown} DIDs.
     * Throws like {@link #search(Search)}.
     */
    public JsonObject summaries(List<String> dids) throws InterruptedException {
        return catalogue.ask("/summaries", Json.objectOf(Map.of("dids", dids)), Place::object);
    }

    /**
     * Returns where an asset stands in the catalogue, as the catalogue says.
     *
     * @throws InsituException {@code AssetNotFound}, {@code InvalidDid}
     * @throws InterruptedException if this thread is interrupted
     */
    public AssetStatus status(String did) throws InterruptedException {
        return catalogue.status(did);
    }

    /**
     * Returns the document of an asset, proved to be what the chain names (P3).
     *
     * @throws InsituException {@code InvalidDid}, {@code AssetNotFound}, {@code ChecksumMismatch},
     *     {@code VersionNotAllowed}, {@code InvalidDocument}, {@code PeerUnavailable}, {@code ChainUnavailable}
     * @throws InterruptedException if this thread is interrupted
     */
    public Ddo resolve(String did) throws InterruptedException {
        return show(did).ddo();
    }

    /** Returns a document with what the chain says about it: owner, creator and version. Throws like {@link #resolve}. */
    public ResolvedAsset show(String did) throws InterruptedException {
        return provider.resolver().resolve(did);
    }

    /** Returns the on-chain owner of an asset. Throws {@code AssetNotFound}, {@code ChainUnavailable}. */
    public Address owner(String did) throws InterruptedException {
        return provider.chain().record(did).owner();
    }

    /**
     * Publishes and registers an asset (P1-P3), or finds the equal one of an earlier call, also of another process.
     *
     * @param assetMetadata attributes of the metadata service, or its {@code main} alone. Files may have urls: the gateway
     *     seals them, and they are never published
     * @param servicesDescription the other services; what is missing is filled in
     * @throws InsituException {@code InvalidDocument} and related codes before anything is signed, {@code NoComputeService},
     *     {@code CreatorNotAllowed}, {@code DIDExists}, {@code ContractMismatch}, {@code TransactionUnconfirmed},
     *     {@code RelayOff}
     * @throws InterruptedException if this thread is interrupted; the same call goes on
     */
    public PublishedAsset registerAsset(JsonObject assetMetadata, List<JsonObject> servicesDescription)
            throws InterruptedException {
        return registerAsset(assetMetadata, servicesDescription, null, false);
    }

    /**
     * Publishes and registers an asset; see {@link #registerAsset(JsonObject, List)}.
     *
     * @param publisherPublicKey the account whose key is published; null for this one
     * @param withoutCompute it is a data set on which nobody can compute
     */
    public PublishedAsset registerAsset(
            JsonObject assetMetadata,
            List<JsonObject> servicesDescription,
            @Nullable Address publisherPublicKey,
            boolean withoutCompute)
            throws InterruptedException {
        Description description = Description.read(assetMetadata, servicesDescription);
        Address owner = publisherPublicKey == null ? provider.address() : publisherPublicKey;
        JsonObject identity = Json.objectOf(Map.of("attributes", assetMetadata, "services", servicesDescription));
        Publisher.Prepared prepared = publisher.prepare(description, owner, withoutCompute, identity);
        return publisher.registerAll(List.of(prepared)).get(0);
    }

    /**
     * Returns an offer to compute with any algorithm, for a price in base units of the token, in every container and on every
     * server that the gateway has. Throws {@code PeerUnavailable}.
     */
    public ComputeOffer offer(BigInteger price) throws InterruptedException {
        Place info = Place.of(provider.open().info());
        return ComputeOffer.any(
                price,
                info.at("supportedContainers").list(Place::object),
                info.at("supportedServers").list(Place::object));
    }

    /**
     * Publishes a data set with a compute service, without moving it. Throws like {@link #registerAsset}.
     *
     * @param files urls, or paths of the provider's machine; see {@link DataFiles#describe}
     */
    public PublishedAsset publishDataset(String name, List<String> files, ComputeOffer offer, About about)
            throws InterruptedException {
        boolean isPinned = new JsonString("pinned").equals(offer.rules().get("data"));
        List<JsonObject> described =
                files.stream().map(file -> DataFiles.describe(file, isPinned)).toList();
        JsonObject main = main(name, "dataset", about)
                .with("price", Json.of(offer.price().toString()))
                .with("files", Json.of(described));
        return registerAsset(attributes(main, about), List.of(offer.service()));
    }

    /**
     * Publishes an algorithm that everybody may use. Its files are uploaded to the gateway, and verified before each run. The
     * same files with the same description are the same asset. Throws like {@link #registerAsset}.
     *
     * @param contents its files, each with its name; {@link DataFiles#contents} reads them
     * @param entrypoint how it is started, such as {@code python3 count.py}; null for a single script
     */
    public PublishedAsset publishAlgorithm(
            String name, Map<String, byte[]> contents, @Nullable String entrypoint, About about)
            throws InterruptedException {
        JsonObject algorithm = AlgorithmFiles.describeAlgorithm(contents.keySet(), entrypoint, null);
        JsonObject main =
                main(name, "algorithm", about).with("price", Json.of("0")).with("algorithm", algorithm);
        Publisher.Prepared prepared = publisher.prepareAlgorithm(attributes(main, about), contents);
        return publisher.registerAll(List.of(prepared)).get(0);
    }

    /** Publishes a workflow, or finds an equal one. Throws like {@link #registerAsset}. */
    public PublishedAsset publishWorkflow(String name, List<WorkflowStage> stages, About about)
            throws InterruptedException {
        JsonObject main = main(name, "workflow", about)
                .with("price", Json.of("0"))
                .with("files", Json.of(List.of()))
                .with("workflow", WorkflowStage.describeStages(stages));
        return registerAsset(attributes(main, about), List.of());
    }

    /**
     * Publishes and registers a new version of an asset that the account owns; without a change nothing happens.
     *
     * @param assetMetadata what changes, in the form of {@link #registerAsset}: a member replaces, null removes (RFC 7396)
     * @param servicesDescription each names the service that it changes by index or type
     * @throws InsituException {@code NotDIDOwner}, {@code VersionNotAllowed}, {@code ServiceNotFound},
     *     {@code InvalidDocument}, {@code VersionMismatch}, {@code ContractMismatch}
     * @throws InterruptedException if this thread is interrupted
     */
    public ResolvedAsset updateAsset(String did, JsonObject assetMetadata, List<JsonObject> servicesDescription)
            throws InterruptedException {
        registrations.own(did);
        ResolvedAsset present = provider.resolver().resolve(did);
        List<JsonObject> entries = NewVersions.reviseServices(present.ddo(), assetMetadata, servicesDescription);
        return NewVersions.areSame(entries, NewVersions.servicesOf(present.ddo()))
                ? present
                : revise(present.ddo(), entries);
    }

    /** Lets strangers find an asset of this account, or not; it can be used either way. Throws like {@link #retire}. */
    public AssetStatus setListed(String did, boolean isListed) throws InterruptedException {
        return provider.catalogue().send("PUT", did, "/listing", listing(did, isListed ? "list" : "unlist"));
    }

    /**
     * Takes an asset off the lists; existing purchases stay usable.
     *
     * @throws InsituException {@code NotOwner}, {@code AssetNotFound}
     * @throws InterruptedException if this thread is interrupted
     */
    public AssetStatus retire(String did) throws InterruptedException {
        return provider.catalogue()
                .send("DELETE", did, "", listing(did, "retire").without(Set.of("action")));
    }

    /** Lists a retired asset again, with the same document as a new version. Throws like {@link #updateAsset}. */
    public ResolvedAsset relist(String did) throws InterruptedException {
        registrations.own(did);
        Ddo ddo = provider.resolver().resolve(did).ddo();
        return revise(ddo, NewVersions.servicesOf(ddo));
    }

    /**
     * Gives an asset to another account. This cannot be undone.
     *
     * @throws InsituException {@code NotDIDOwner}, {@code ChangesMismatch} if another change came first, {@code RelayOff},
     *     {@code TransactionUnconfirmed}
     * @throws InterruptedException if this thread is interrupted
     */
    public void transfer(String did, Address newOwner) throws InterruptedException {
        registrations.transfer(new Did(did).text(), newOwner);
    }

    private ResolvedAsset revise(Ddo ddo, List<JsonObject> entries) throws InterruptedException {
        UnsignedDdo next = versions.propose(ddo, entries, Publisher.now());
        return versions.register(List.of(next), null).get(0);
    }

    private JsonObject listing(String did, String action) throws InterruptedException {
        long deadline = Instant.now().getEpochSecond() + SIGNED_FOR;
        JsonObject asked = Json.objectOf(Map.of("action", action, "catalogue", catalogue.url(), "deadline", deadline));
        Deployment contracts = provider.chain().contracts();
        JsonObject members = asked.with("did", Json.of(new Did(did).hex()));
        TypedData data = Requests.catalogue("ListingRequest", members, contracts.chainId(), contracts.registry());
        return asked.with("signature", Json.of(provider.sign(data)));
    }

    private JsonObject main(String name, String type, About about) {
        String author = about.author().isEmpty() ? provider.address().text() : about.author();
        return Json.objectOf(Map.of("name", name, "type", type, "author", author, "license", about.license()));
    }

    private static JsonObject attributes(JsonObject main, About about) {
        return Description.attributesOf(main, about.description(), about.tags(), about.categories());
    }
}
