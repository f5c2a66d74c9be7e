package insitu.client;

import insitu.domain.Address;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.math.BigInteger;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is searched for in a catalogue; what is not said does not restrict. Each method returns another search. */
public final class Search {
    private static final Set<String> ORDER = Set.of("sort", "descending", "page", "offset");

    private final JsonObject asked;

    private Search(JsonObject asked) {
        this.asked = asked;
    }

    /** Returns a search for words in name, description, tags, author and DID; empty text matches everything. */
    public static Search of(String words) {
        return new Search(JsonObject.EMPTY.with("text", Json.of(words)));
    }

    /** {@code dataset}, {@code algorithm} or {@code workflow}. */
    public Search type(String type) {
        return with("type", type);
    }

    /** A type of service that is offered, such as {@code compute}. */
    public Search service(String type) {
        return with("service", type);
    }

    /** A tag. */
    public Search tag(String tag) {
        return with("tag", tag);
    }

    /** A category. */
    public Search category(String category) {
        return with("category", category);
    }

    /** Who wrote it, as the document says. */
    public Search author(String author) {
        return with("author", author);
    }

    /** Who owns it on chain; then also what this account has not listed is found. */
    public Search owner(Address owner) {
        return with("owner", owner.text());
    }

    /** A license. */
    public Search license(String license) {
        return with("license", license);
    }

    /**
     * What its rules let run: {@code any} algorithm, those of trusted {@code publishers}, named {@code algorithms}, or
     * {@code nothing}.
     */
    public Search mayRun(String rule) {
        return with("mayRun", rule);
    }

    /** A type of files such as {@code .csv}, {@code any file}, {@code no file}, {@code log} or {@code no log}. */
    public Search mayLeave(String rule) {
        return with("mayLeave", rule);
    }

    /** {@code listed}, {@code retired}; with an owner also {@code unlisted} and {@code pending}. */
    public Search state(String state) {
        return with("state", state);
    }

    /** The lowest price, in base units of the token. */
    public Search priceMin(BigInteger price) {
        return with("priceMin", price.toString());
    }

    /** The highest price, in base units of the token. */
    public Search priceMax(BigInteger price) {
        return with("priceMax", price.toString());
    }

    /** {@code relevance}, as by default, {@code date} or {@code price}. */
    public Search sort(String order) {
        return with("sort", order);
    }

    /** Whether the largest comes first, as by default. */
    public Search descending(boolean isDescending) {
        return with("descending", isDescending);
    }

    /** Which page, from 1. */
    public Search page(int page) {
        return with("page", page);
    }

    /** Results of a page, 1 to 100; the name is that of the published API. */
    public Search offset(int results) {
        return with("offset", results);
    }

    JsonObject json() {
        return asked;
    }

    JsonObject filters() {
        return asked.without(ORDER);
    }

    private Search with(String name, @Nullable Object value) {
        return new Search(asked.with(name, Json.of(value)));
    }
}
