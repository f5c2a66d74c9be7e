package insitu.client;

import java.util.List;

/**
 * What is said about an asset that is published.
 *
 * @param author who wrote it; empty for the account that publishes
 * @param license under which
 * @param description what it is
 * @param tags words that find it
 * @param categories where it belongs
 */
public record About(String author, String license, String description, List<String> tags, List<String> categories) {
    /** Nothing, and no license. */
    public static final About NOTHING = new About("", "No License Specified", "", List.of(), List.of());

    public About {
        tags = List.copyOf(tags);
        categories = List.copyOf(categories);
    }

    /** Returns what is said with a description. */
    public static About of(String description) {
        return new About("", NOTHING.license, description, List.of(), List.of());
    }
}
