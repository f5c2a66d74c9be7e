package insitu.client;

import insitu.internal.Place;
import insitu.json.JsonObject;
import org.jspecify.annotations.Nullable;

/**
 * What a stream brings: a piece of what a stage printed, or an event.
 *
 * @param id goes on behind it, in another stream or process
 * @param isLog whether it is a piece of a log
 * @param json everything that the gateway says
 */
public record Happened(@Nullable String id, boolean isLog, JsonObject json) {
    /** Returns the text of a log's piece; empty for an event. */
    public String text() {
        return isLog ? Place.of(json).at("text").text() : "";
    }

    /** Returns the type of an event, such as {@code phase}; {@code log} for a piece of a log. */
    public String type() {
        return isLog ? "log" : Place.of(json).at("type").text();
    }
}
