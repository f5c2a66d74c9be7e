package insitu.client;

import insitu.internal.Place;
import insitu.json.JsonObject;
import java.util.Optional;
import java.util.Set;

/**
 * Where an execution stands, as its gateway says.
 *
 * @param json everything that the gateway says, also what this release has no word for
 */
public record ExecutionView(JsonObject json) {
    private static final Set<String> ENDED = Set.of("Succeeded", "Failed", "Stopped");

    static ExecutionView read(Place at) {
        at.at("phase").text();
        return new ExecutionView(at.object());
    }

    /** Returns the phase in a word, such as {@code Executing}; a newer gateway may know more of them. */
    public String phase() {
        return Place.of(json).at("phase").text();
    }

    /** Returns whether it has ended. */
    public boolean isEnded() {
        return ENDED.contains(phase());
    }

    /** Returns the code of the reason why it ended, or why it waits, if there is one. */
    public Optional<String> reason() {
        return Optional.ofNullable(
                Place.of(json).at("reason").optional(reason -> reason.at("code").text()));
    }
}
