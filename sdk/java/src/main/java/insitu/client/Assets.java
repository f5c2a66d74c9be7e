package insitu.client;

import insitu.InsituException;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.util.List;
import java.util.Map;

/** Finds assets and reads their documents. */
public final class Assets {
    private final Catalogue catalogue;

    Assets(Catalogue catalogue) {
        this.catalogue = catalogue;
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
}
