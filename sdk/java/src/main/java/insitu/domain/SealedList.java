package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a sealed list of files (ADR 0095). Nothing in it is proved until the gateway that sealed it opens it;
 * everybody can see for which DID and for whom it was sealed.
 *
 * @param keyVersion which key of the gateway
 * @param sealer the account for which the list was sealed, and whose rights its urls have
 * @param payload 12 bytes of nonce, then ciphertext and tag of AES-256-GCM over the canonical JSON of the list
 * @param associated the associated data of the encryption
 */
public record SealedList(long keyVersion, Address sealer, byte[] payload, byte[] associated) {
    private static final int MAX_LENGTH = 8 * 1024 * 1024;
    private static final Pattern FORM = Pattern.compile(
            "(?:insitu1|(insitu2))\\.(0|[1-9][0-9]{0,8})(?:\\.(0x[0-9a-f]{40}))?\\.([A-Za-z0-9_-]++={0,2})");

    /**
     * Reads {@code encryptedFiles} of a document.
     *
     * @param creator the account from which the DID derives: the sealer of a text in the old form
     * @throws InsituException {@code InputElsewhere} if it is not one
     */
    public static SealedList read(@Nullable JsonValue text, String did, Address creator, long chainId) {
        Matcher form = FORM.matcher(
                text instanceof JsonString given && given.value().length() <= MAX_LENGTH ? given.value() : "");
        byte[] payload = form.matches() ? decoded(form.group(4)) : null;
        if (payload == null || (form.group(1) == null) != (form.group(3) == null)) {
            String detail = "the list of files in " + did + " was not sealed by this gateway";
            throw new InsituException(ErrorCode.InputElsewhere, detail);
        }
        long keyVersion = Long.parseLong(form.group(2));
        if (form.group(3) == null) {
            String associated = creator.text().toLowerCase(Locale.ROOT) + "|" + chainId;
            return new SealedList(keyVersion, creator, payload, Bytes.utf8(associated));
        }
        String associated = "insitu2|" + chainId + "|" + did + "|" + form.group(3);
        return new SealedList(keyVersion, new Address(form.group(3)), payload, Bytes.utf8(associated));
    }

    // The last digit has bits that say nothing: of all spellings only the gateway's is read, with its padding.
    private static byte @Nullable [] decoded(String encoded) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(encoded);
            return Base64.getUrlEncoder().encodeToString(bytes).equals(encoded) ? bytes : null;
        } catch (IllegalArgumentException notBase64) {
            return null;
        }
    }

    /**
     * A registered version of a DID, as far as its list is concerned.
     *
     * @param registrant who registered it: for version 1 the creator, from whom the DID derives
     * @param list something that is equal for two versions if their texts are, byte for byte; null if there is none
     */
    public record Version(Address registrant, @Nullable String list) {}

    /**
     * Returns whether the last of these versions may carry its list: its sealer put it there, or the version before may
     * carry the same text. So a new owner keeps what was handed over, and nobody can bring back what was withdrawn.
     *
     * @param versions the oldest first
     */
    public static boolean mayCarry(List<Version> versions, Address sealer) {
        String list =
                versions.isEmpty() ? null : versions.get(versions.size() - 1).list();
        for (int at = versions.size() - 1; at >= 0 && list != null; at--) {
            if (!list.equals(versions.get(at).list())) {
                return false;
            }
            if (versions.get(at).registrant().equals(sealer)) {
                return true;
            }
        }
        return false;
    }
}
