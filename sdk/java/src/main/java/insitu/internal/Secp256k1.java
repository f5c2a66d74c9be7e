package insitu.internal;

import java.math.BigInteger;
import java.util.Arrays;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.math.ec.ECAlgorithms;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;
import org.jspecify.annotations.Nullable;

/** Signatures of Ethereum: ECDSA on secp256k1, deterministic (RFC 6979), with a low s, and recoverable. */
public final class Secp256k1 {
    private static final X9ECParameters CURVE = CustomNamedCurves.getByName("secp256k1");
    private static final BigInteger ORDER = CURVE.getN();
    private static final BigInteger HALF = ORDER.shiftRight(1);

    private Secp256k1() {}

    /** Returns whether a number can be a private key. */
    public static boolean isKey(BigInteger key) {
        return key.signum() > 0 && key.compareTo(ORDER) < 0;
    }

    /** Returns the number of s in its lower form. */
    public static BigInteger lower(BigInteger s) {
        return s.compareTo(HALF) > 0 && s.compareTo(ORDER) < 0 ? ORDER.subtract(s) : s;
    }

    /** Returns the 20 bytes of a key's account. */
    public static byte[] accountOf(BigInteger key) {
        return accountOf(multiply(key));
    }

    /** Signs 32 bytes. Returns r, s and v (27 or 28), 65 bytes. */
    public static byte[] sign(BigInteger key, byte[] digest) {
        HMacDSAKCalculator secrets = new HMacDSAKCalculator(new SHA256Digest());
        secrets.init(ORDER, key, digest);
        BigInteger message = new BigInteger(1, digest);
        while (true) {
            BigInteger secret = secrets.nextK();
            ECPoint point = multiply(secret).normalize();
            BigInteger x = point.getAffineXCoord().toBigInteger();
            BigInteger s = secret.modInverse(ORDER)
                    .multiply(message.add(key.multiply(x)))
                    .mod(ORDER);
            if (x.compareTo(ORDER) >= 0 || x.signum() == 0 || s.signum() == 0) {
                continue; // with a probability of 2^-127, and then another secret is as good
            }
            boolean isOdd = point.getAffineYCoord().testBitZero() != s.compareTo(HALF) > 0;
            return Bytes.concat(Bytes.word(x), Bytes.word(lower(s)), new byte[] {(byte) (isOdd ? 28 : 27)});
        }
    }

    /** Returns the 20 bytes of the account whose key signed 32 bytes, or null if there is none. The s must be low. */
    public static byte @Nullable [] recover(byte[] digest, byte[] signature) {
        BigInteger r = new BigInteger(1, Arrays.copyOfRange(signature, 0, 32));
        BigInteger s = new BigInteger(1, Arrays.copyOfRange(signature, 32, 64));
        int parity = signature[64] >= 27 ? signature[64] - 27 : signature[64];
        if ((parity & ~1) != 0 || !isKey(r) || s.signum() == 0 || s.compareTo(HALF) > 0) {
            return null;
        }
        ECPoint point = pointOf(r, parity);
        if (point == null) {
            return null;
        }
        BigInteger inverse = r.modInverse(ORDER);
        BigInteger byBase = new BigInteger(1, digest).negate().multiply(inverse).mod(ORDER);
        ECPoint key = ECAlgorithms.sumOfTwoMultiplies(
                CURVE.getG(), byBase, point, s.multiply(inverse).mod(ORDER));
        return key.isInfinity() ? null : accountOf(key);
    }

    private static @Nullable ECPoint pointOf(BigInteger x, int parity) {
        byte[] compressed = Bytes.concat(new byte[] {(byte) (2 + parity)}, Bytes.word(x));
        try {
            return CURVE.getCurve().decodePoint(compressed);
        } catch (IllegalArgumentException notOnTheCurve) {
            return null;
        }
    }

    private static ECPoint multiply(BigInteger number) {
        return new FixedPointCombMultiplier().multiply(CURVE.getG(), number);
    }

    private static byte[] accountOf(ECPoint key) {
        byte[] written = key.normalize().getEncoded(false);
        return Arrays.copyOfRange(Hashes.keccak(Arrays.copyOfRange(written, 1, written.length)), 12, 32);
    }
}
