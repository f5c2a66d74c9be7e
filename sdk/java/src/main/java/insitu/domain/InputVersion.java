package insitu.domain;

import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.json.Json;
import java.util.List;

/**
 * A data set in one version.
 *
 * @param did its DID
 * @param checksum on-chain checksum of the document, 64 hexadecimal digits
 */
public record InputVersion(String did, String checksum) {
    /**
     * Returns which versions of the inputs an agreement buys, as one hash for its terms (C3): 0x and the SHA3-256 of the
     * canonical JSON {@code [[did, checksum], …]}.
     *
     * @param versions each input once, in the order of the workflow
     */
    public static String hash(List<InputVersion> versions) {
        return "0x"
                + Hashes.checksum(Json.of(versions.stream()
                        .map(version -> List.of(version.did(), Bytes.plainDigits(version.checksum())))
                        .toList()));
    }
}
