package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Secp256k1;
import java.math.BigInteger;

/** An account whose key this program holds. Its text shows the address only, and it cannot be serialised. */
public final class LocalSigner implements Signer {
    private final BigInteger key;
    private final Address address;

    private LocalSigner(BigInteger key) {
        this.key = key;
        this.address = Address.of(Secp256k1.accountOf(key));
    }

    /**
     * Returns the account of a private key of 32 bytes.
     *
     * @throws InsituException {@code KeyInvalid} if they are not a key of secp256k1
     */
    public static LocalSigner of(byte[] key) {
        BigInteger number = new BigInteger(1, key);
        if (key.length != 32 || !Secp256k1.isKey(number)) {
            throw new InsituException(ErrorCode.KeyInvalid, "this is not a private key of 32 bytes");
        }
        return new LocalSigner(number);
    }

    /** Returns the account of a private key, 64 hexadecimal digits with or without 0x; see {@link #of(byte[])}. */
    public static LocalSigner of(String key) {
        return of(Bytes.isHex(key) ? Bytes.fromHex(key) : new byte[0]);
    }

    @Override
    public Address address() {
        return address;
    }

    @Override
    public byte[] sign(byte[] digest) {
        if (digest.length != 32) {
            throw new IllegalArgumentException("a digest has 32 bytes");
        }
        return Secp256k1.sign(key, digest);
    }

    @Override
    public String toString() {
        return "LocalSigner[" + address + "]";
    }
}
