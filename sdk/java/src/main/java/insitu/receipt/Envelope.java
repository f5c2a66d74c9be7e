package insitu.receipt;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.Signatures;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A signed payload (DSSE, v1.0.2).
 *
 * @param payloadType what the payload is
 * @param payload base64 of the exact bytes that are signed and hashed
 * @param signatures at least one, which must be that of the signer
 */
public record Envelope(String payloadType, String payload, List<Signature> signatures) {
    /** The type of payload that receipts have. */
    public static final String PAYLOAD_TYPE = "application/vnd.in-toto+json";

    private static final int MAX_PAYLOAD = 4 * 1024 * 1024;
    private static final int MAX_SIGNATURES = 16;
    private static final Pattern BASE64 =
            Pattern.compile("(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?");

    /**
     * A signature of the pre-authentication encoding's Keccak-256.
     *
     * @param keyid the signer's address
     * @param sig base64 of r, s and v, 65 bytes
     */
    public record Signature(String keyid, String sig) {}

    public Envelope {
        signatures = List.copyOf(signatures);
    }

    /**
     * Reads an envelope from UTF-8.
     *
     * @throws InsituException {@code ReceiptInvalid} if it is not one
     */
    public static Envelope read(byte[] json) {
        try {
            return read(Json.read(json));
        } catch (InsituException cause) {
            throw notAnEnvelope(cause);
        }
    }

    /** Returns its JSON, to be kept; {@link Json#canonical} writes it. */
    public JsonObject json() {
        return Json.objectOf(Map.of(
                "payloadType", payloadType,
                "payload", payload,
                "signatures",
                        signatures.stream()
                                .map(one -> Map.of("keyid", one.keyid(), "sig", one.sig()))
                                .toList()));
    }

    /** Reads an envelope from JSON; see {@link #read(byte[])}. */
    public static Envelope read(JsonValue json) {
        try {
            Place root = Place.of(json);
            return new Envelope(
                    root.at("payloadType").text(),
                    root.at("payload").text(),
                    root.at("signatures")
                            .list(
                                    1,
                                    MAX_SIGNATURES,
                                    one -> new Signature(
                                            one.at("keyid").text(),
                                            one.at("sig").text())));
        } catch (InsituException cause) {
            throw notAnEnvelope(cause);
        }
    }

    /** Returns the exact bytes that are signed and hashed. Throws {@code ReceiptInvalid} if there are none. */
    public byte[] bytes() {
        if (payload.length() > MAX_PAYLOAD / 3 * 4 + 4) {
            throw invalid("the payload is larger than " + MAX_PAYLOAD + " bytes");
        }
        return decode(payload);
    }

    /** Returns the 32 bytes that the key signs. */
    public byte[] digest() {
        byte[] type = Bytes.utf8(payloadType);
        byte[] body = bytes();
        return Hashes.keccak(
                Bytes.utf8("DSSEv1 " + type.length + " "), type, Bytes.utf8(" " + body.length + " "), body);
    }

    /** Returns the account that signed it, which its keyid must name too. Throws {@code ReceiptInvalid}. */
    public Address signer() {
        if (signatures.isEmpty()) {
            throw invalid("the envelope is not signed");
        }
        Signature signature = signatures.get(0);
        byte[] raw = decode(signature.sig());
        try {
            Address signer = Signatures.recover(digest(), raw);
            if (signer.equals(new Address(signature.keyid()))) {
                return signer;
            }
            throw invalid("signed by " + signer + ", not by " + signature.keyid());
        } catch (InsituException cause) {
            throw cause.code().equals(ErrorCode.ReceiptInvalid)
                    ? cause
                    : new InsituException(ErrorCode.ReceiptInvalid, cause.detail(), cause);
        }
    }

    private static byte[] decode(String encoded) {
        if (!BASE64.matcher(encoded).matches()) {
            throw invalid("a member of the envelope is not base64");
        }
        return Base64.getDecoder().decode(encoded);
    }

    private static InsituException notAnEnvelope(InsituException cause) {
        return cause.code().equals(ErrorCode.ReceiptInvalid)
                ? cause
                : new InsituException(ErrorCode.ReceiptInvalid, "this is not a DSSE envelope", cause);
    }

    private static InsituException invalid(String detail) {
        return new InsituException(ErrorCode.ReceiptInvalid, detail);
    }
}
