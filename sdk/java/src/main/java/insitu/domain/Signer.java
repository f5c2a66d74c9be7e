package insitu.domain;

/** An account that signs: a key of this program, or a key service that shows nobody its keys. */
public interface Signer {
    /** Returns the account. */
    Address address();

    /**
     * Signs 32 bytes.
     *
     * @return r, s and v, 65 bytes; s is low (EIP-2) and v is 27 or 28
     */
    byte[] sign(byte[] digest);

    /** Signs typed data (EIP-712); see {@link #sign}. */
    default byte[] sign(TypedData data) {
        return sign(data.digest());
    }

    /** Signs a text as wallets do (personal_sign, EIP-191); see {@link #sign}. */
    default byte[] signText(String text) {
        return sign(Signatures.personalDigest(text));
    }
}
