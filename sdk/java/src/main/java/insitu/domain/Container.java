package insitu.domain;

import insitu.internal.Bytes;
import insitu.internal.Place;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A container image as a document names it.
 *
 * @param image its name
 * @param tag for people
 * @param checksum the digest of its manifest, for machines
 */
public record Container(
        @Nullable String image,
        @Nullable String tag,
        @Nullable String checksum) {
    static Container read(Place at) {
        return new Container(
                at.at("image").optional(Place::text),
                at.at("tag").optional(Place::text),
                at.at("checksum").optional(Place::text));
    }

    /** Returns {@code sha256:} and the digits of the manifest's digest; nothing if the checksum is no SHA-256. */
    public Optional<String> digest() {
        return Bytes.sha256Of(checksum).map(digits -> "sha256:" + digits);
    }
}
