package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.json.Json;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The name of an asset that can be registered, bought or executed.
 *
 * @param text {@code did:nv:} and 64 lower-case hexadecimal digits
 */
public record Did(String text) {
    private static final String METHOD = "did:nv:";
    private static final Pattern FORM = Pattern.compile(METHOD + "[0-9a-f]{64}");
    private static final Pattern OLDER = Pattern.compile(METHOD + "[0-9a-fA-F]{1,64}");

    /**
     * Reads a complete DID.
     *
     * @throws InsituException {@code InvalidDid} for anything else
     */
    public Did {
        if (!FORM.matcher(text).matches()) {
            throw invalid(text, "64 lower-case ");
        }
    }

    /** Returns whether a text is a complete DID. */
    public static boolean isDid(String text) {
        return FORM.matcher(text).matches();
    }

    /**
     * Reads the text of a DID of an older document, which may be short ({@code did:nv:12345}) or in upper case.
     *
     * @throws InsituException {@code InvalidDid} for anything else
     */
    public static String readOlder(String text) {
        if (!OLDER.matcher(text).matches()) {
            throw invalid(text, "");
        }
        return text.toLowerCase(Locale.ROOT);
    }

    /** Returns the DID of its 32 bytes on chain, as hexadecimal digits. */
    public static Did ofHex(String digits) {
        return new Did(METHOD + Bytes.plainDigits(digits));
    }

    /** Returns the 32 bytes from which a DID derives: the SHA3-256 of the canonical {@code proof.checksum}. */
    public static byte[] seed(Map<String, String> checksums) {
        return Hashes.sha3(Json.canonical(Json.objectOf(checksums)));
    }

    /** Returns the DID of a seed of 32 bytes and its creator, as the registry computes it. */
    public static Did hash(byte[] seed, Address creator) {
        if (seed.length != 32) {
            throw new InsituException(ErrorCode.InvalidDid, "a DID seed has 32 bytes, not " + seed.length);
        }
        return ofHex(Bytes.digits(Hashes.keccak(seed, Bytes.padStart(creator.bytes()))));
    }

    /** Returns the DID of an asset with these service checksums (index, checksum), registered by this creator. */
    public static Did derive(Map<String, String> checksums, Address creator) {
        return hash(seed(checksums), creator);
    }

    /** Returns the 32 bytes as contracts take them: 0x and hexadecimal digits. */
    public String hex() {
        return "0x" + text.substring(METHOD.length());
    }

    @Override
    public String toString() {
        return text;
    }

    private static InsituException invalid(String text, String which) {
        return new InsituException(
                ErrorCode.InvalidDid, Ids.shown(text) + " is not did:nv: followed by " + which + "hexadecimal digits");
    }
}
