package insitu.client;

import insitu.internal.Place;
import insitu.json.JsonObject;
import java.util.List;

/**
 * One page of documents as the catalogue has them. Resolve an asset before you rely on what its document says.
 *
 * @param json everything that the catalogue says, also what this release has no word for
 */
public record SearchPage(JsonObject json) {
    static SearchPage read(Place at) {
        SearchPage page = new SearchPage(at.object());
        page.results();
        page.totalResults();
        return page;
    }

    /** Returns the documents. */
    public List<JsonObject> results() {
        return Place.of(json).at("results").list(Place::object);
    }

    /** Returns the DIDs of those that only a search for their owner finds. */
    public List<String> unlisted() {
        return Place.of(json).at("unlisted").orElse(List.of(), list -> list.list(Place::text));
    }

    /** Returns which page it is, from 1. */
    public long page() {
        return Place.of(json).at("page").count();
    }

    /** Returns how many pages there are. */
    public long totalPages() {
        return Place.of(json).at("totalPages").count();
    }

    /** Returns how many results all pages have. */
    public long totalResults() {
        return Place.of(json).at("totalResults").count();
    }
}
