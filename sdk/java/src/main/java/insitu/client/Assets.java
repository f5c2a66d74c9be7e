package insitu.client;

import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.Ddo;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.util.List;
import java.util.Map;

/** Finds assets and reads their documents. */
public final class Assets {
    private final Provider provider;
    private final Catalogue catalogue;

    Assets(Provider provider) {
        this.provider = provider;
        this.catalogue = provider.catalogue();
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
}
