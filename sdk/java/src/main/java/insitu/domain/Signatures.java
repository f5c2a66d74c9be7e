package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Secp256k1;
import java.math.BigInteger;
import java.util.Arrays;

/** Whose signature it is. */
public final class Signatures {
    /** Bytes of the longest signature of a contract account (ERC-1271). */
    public static final int MAX_LENGTH = 4096;

    private static final int LENGTH = 65;

    private Signatures() {}

    /**
     * Returns the account whose key signed a digest of 32 bytes.
     *
     * @param signature r, s and v, 65 bytes; v is 0, 1, 27 or 28, and s is low (EIP-2)
     * @throws InsituException {@code SignatureMismatch} if no key can have made it
     */
    public static Address recover(byte[] digest, byte[] signature) {
        if (signature.length != LENGTH) {
            throw mismatch("a signature has 65 bytes");
        }
        byte[] account = Secp256k1.recover(digest, signature);
        if (account == null) {
            throw mismatch("no key can have made this signature in its canonical form");
        }
        return Address.of(account);
    }

    /** Returns the account whose key signed a digest; the signature is hexadecimal digits. See {@link #recover}. */
    public static Address recover(byte[] digest, String signature) {
        return recover(digest, Bytes.isHex(signature) ? Bytes.fromHex(signature) : new byte[0]);
    }

    /**
     * Returns a signature without v (64 bytes, as in a JWT) with the v that recovers to the account.
     *
     * <p>A high s is accepted and lowered, because ES256K (RFC 8812) does not forbid it.
     *
     * @throws InsituException {@code SignatureMismatch} if it does not have 64 bytes, or the account did not make it
     */
    public static byte[] complete(byte[] digest, byte[] halves, Address account) {
        if (halves.length != LENGTH - 1) {
            throw mismatch("an ES256K signature has 64 bytes");
        }
        byte[] s = Bytes.word(Secp256k1.lower(new BigInteger(1, Arrays.copyOfRange(halves, 32, 64))));
        for (byte v = 27; v <= 28; v++) {
            byte[] signature = Bytes.concat(Arrays.copyOf(halves, 32), s, new byte[] {v});
            if (isSignedBy(digest, signature, account)) {
                return signature;
            }
        }
        throw mismatch("it is not signed by " + account);
    }

    /** Returns the bytes of a signature of any account, also of a contract. Throws {@code SignatureMismatch}. */
    public static byte[] ofAccount(String signature) {
        byte[] raw = Bytes.isHex(signature) ? Bytes.fromHex(signature) : new byte[0];
        if (raw.length < LENGTH || raw.length > MAX_LENGTH) {
            throw mismatch("a signature has 65 to " + MAX_LENGTH + " bytes, in hexadecimal digits");
        }
        return raw;
    }

    /** Returns whether the key of an account signed a digest; a contract account has to be asked itself. */
    public static boolean isSignedBy(byte[] digest, byte[] signature, Address account) {
        byte[] found = signature.length == LENGTH ? Secp256k1.recover(digest, signature) : null;
        return found != null && Address.of(found).equals(account);
    }

    /** Returns a key's signature as contracts take it, with v 27 or 28. Throws {@code SignatureMismatch}. */
    public static byte[] forCall(String signature) {
        byte[] raw = ofAccount(signature);
        if (raw.length != LENGTH) {
            throw mismatch("a signature of a key has 65 bytes");
        }
        raw[64] += raw[64] == 0 || raw[64] == 1 ? 27 : 0;
        return raw;
    }

    /** Returns the digest that wallets sign for a text (personal_sign, EIP-191). */
    public static byte[] personalDigest(String message) {
        byte[] bytes = Bytes.utf8(message);
        return Hashes.keccak(Bytes.utf8("\u0019Ethereum Signed Message:\n" + bytes.length), bytes);
    }

    /** Returns the digest of a JWT signed with ES256K (RFC 8812): the SHA-256 of {@code header.payload}. */
    public static byte[] es256kDigest(String signingInput) {
        return Hashes.sha256(Bytes.utf8(signingInput));
    }

    private static InsituException mismatch(String detail) {
        return new InsituException(ErrorCode.SignatureMismatch, detail);
    }
}
