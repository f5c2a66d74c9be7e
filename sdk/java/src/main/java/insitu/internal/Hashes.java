package insitu.internal;

import insitu.json.Json;
import insitu.json.JsonValue;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.bouncycastle.crypto.digests.KeccakDigest;

/** The three hashes. They have like names and differ: documents, the chain, and receipts with files. */
public final class Hashes {
    private Hashes() {}

    /** Returns the SHA3-256 (FIPS 202): the hash of documents. */
    public static byte[] sha3(byte[] bytes) {
        return digest("SHA3-256").digest(bytes);
    }

    /** Returns the SHA-256: the hash of receipts and files. */
    public static byte[] sha256(byte[] bytes) {
        return sha256().digest(bytes);
    }

    /** Returns a SHA-256 to which bytes are added piece by piece. */
    public static MessageDigest sha256() {
        return digest("SHA-256");
    }

    /** Returns the Keccak-256: the hash of everything that a contract computes. */
    public static byte[] keccak(byte[]... parts) {
        byte[] bytes = Bytes.concat(parts);
        byte[] hash = new byte[32];
        KeccakDigest keccak = new KeccakDigest(256);
        keccak.update(bytes, 0, bytes.length);
        keccak.doFinal(hash, 0);
        return hash;
    }

    /** Returns the SHA3-256 of the canonical JSON of a value: 64 lower-case hexadecimal digits. */
    public static String checksum(JsonValue value) {
        return Bytes.digits(sha3(Json.canonical(value)));
    }

    private static MessageDigest digest(String name) {
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(name + " belongs to every Java since 9", impossible);
        }
    }
}
