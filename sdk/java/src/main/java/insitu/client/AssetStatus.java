package insitu.client;

import insitu.internal.Place;
import insitu.json.JsonObject;
import java.util.Optional;

/**
 * Where an asset stands in a catalogue, as the catalogue says.
 *
 * @param json everything that the catalogue says, also what this release has no word for
 */
public record AssetStatus(JsonObject json) {
    static AssetStatus read(Place at) {
        AssetStatus status = new AssetStatus(at.object());
        status.did();
        status.state();
        status.checksum();
        status.pending();
        return status;
    }

    /** Returns its DID. */
    public String did() {
        return Place.of(json).at("did").text();
    }

    /** Returns {@code pending}, {@code listed}, {@code unlisted}, {@code hidden} or {@code retired}. */
    public String state() {
        return Place.of(json).at("state").text();
    }

    /** Returns the on-chain checksum of the version that counts here. */
    public String checksum() {
        return Place.of(json).at("checksum").text();
    }

    /** Returns the checksum of a version that the chain does not have yet. */
    public Optional<String> pending() {
        return Optional.ofNullable(Place.of(json).at("pending").optional(Place::text));
    }
}
