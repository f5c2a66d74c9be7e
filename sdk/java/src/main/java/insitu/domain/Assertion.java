package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.json.Json;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A signed JWT with which an account signs in (RFC 7523, RFC 8812), before anybody judged whose signature it is.
 *
 * @param claims what it says
 * @param account {@code iss}, the account that signs in
 * @param digest the 32 bytes that were signed: those of ES256K, or of personal_sign
 * @param signature 65 bytes of a key, or what a contract account accepts
 */
public record Assertion(JsonObject claims, Address account, byte[] digest, byte[] signature) {
    private static final int MAX_LENGTH = 8192;
    private static final long LIFETIME = 300;

    /**
     * Returns what is signed to sign in for operations of a gateway, once, now: {@code header.payload} of a JWT.
     *
     * @param audience url of an operation; a list of them opens a session
     * @param now in seconds since 1970
     * @param nonce at most 128 characters that were never used before
     * @param isPersonal the account signs it as a text (personal_sign), because its wallet signs no digests
     */
    public static String text(Address account, JsonValue audience, long now, String nonce, boolean isPersonal) {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", account.text());
        claims.put("aud", audience);
        claims.put("iat", now);
        claims.put("exp", now + LIFETIME);
        claims.put("jti", nonce);
        if (isPersonal) {
            claims.put("eths", "personal");
        }
        return encoded(Json.canonical(Json.of(Map.of("alg", "ES256K", "typ", "JWT"))))
                + "."
                + encoded(Json.canonical(Json.of(claims)));
    }

    /** Returns the whole assertion from its text and a signature of {@link Signatures#es256kDigest} of it. */
    public static String signed(String text, Address account, byte[] signature) {
        boolean isKeys = Signatures.isSignedBy(Signatures.es256kDigest(text), signature, account);
        return text + "." + encoded(isKeys ? Arrays.copyOf(signature, 64) : signature);
    }

    /**
     * Reads an assertion.
     *
     * @throws InsituException {@code InvalidToken} if it is not one, {@code InvalidId} for an issuer that is no address,
     *     {@code SignatureMismatch} if its signature of 64 bytes is not the issuer's
     */
    public static Assertion read(String assertion) {
        String[] parts = assertion.split("\\.", -1);
        if (assertion.length() > MAX_LENGTH || parts.length != 3) {
            throw invalid("the assertion is not a signed JWT");
        }
        if (!new JsonString("ES256K").equals(part(parts[0]).get("alg"))) {
            throw invalid("the assertion must be signed with ES256K");
        }
        JsonObject claims = part(parts[1]);
        if (!(claims.get("iss") instanceof JsonString issuer)) {
            throw invalid("the assertion needs iss, the address of the wallet");
        }
        Address account = new Address(issuer.value());
        JsonValue eths = claims.get("eths");
        boolean isPersonal = new JsonString("personal").equals(eths);
        if (!isPersonal && eths != null && eths != JsonNull.NULL) {
            throw invalid("eths is either absent or personal");
        }
        String text = parts[0] + "." + parts[1];
        byte[] digest = isPersonal ? Signatures.personalDigest(text) : Signatures.es256kDigest(text);
        byte[] raw = decoded(parts[2]);
        byte[] signature = raw.length == 64 ? Signatures.complete(digest, raw, account) : raw;
        return new Assertion(claims, account, digest, Signatures.ofAccount(Bytes.hex(signature)));
    }

    private static JsonObject part(String encoded) {
        try {
            if (Json.read(decoded(encoded)) instanceof JsonObject object) {
                return object;
            }
        } catch (InsituException notJson) {
            throw new InsituException(ErrorCode.InvalidToken, "the assertion is not a signed JWT", notJson);
        }
        throw invalid("the assertion is not a signed JWT");
    }

    private static String encoded(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static byte[] decoded(String text) {
        try {
            return Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException notBase64) {
            throw new InsituException(ErrorCode.InvalidToken, "a part of the assertion is not base64url", notBase64);
        }
    }

    private static InsituException invalid(String detail) {
        return new InsituException(ErrorCode.InvalidToken, detail);
    }
}
