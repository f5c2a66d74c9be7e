import insitu.InsituException;
import insitu.domain.LocalSigner;
import insitu.domain.Signatures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.Arrays;
import org.bouncycastle.asn1.sec.SECNamedCurves;
import org.bouncycastle.crypto.signers.StandardDSAEncoding;

/** Signs digests with a service that returns DER, also with a high s, and prints whether the account signed all of them. */
final class UsesKeyInService {
    private static final BigInteger ORDER = SECNamedCurves.getByName("secp256k1").getN();

    public static void main(String[] arguments) {
        LocalSigner key = LocalSigner.of("07".repeat(32));
        KeyInService account = new KeyInService(key.address(), digest -> der(key.sign(digest), digest[0] % 2 == 0));
        int own = 0;
        for (int number = 0; number < 64; number++) {
            byte[] digest = new byte[32];
            Arrays.fill(digest, (byte) number);
            own += Signatures.isSignedBy(digest, account.sign(digest), key.address()) ? 1 : 0;
        }
        System.out.println(own + " of 64");
        try {
            new KeyInService(LocalSigner.of("08".repeat(32)).address(), account.service()).sign(new byte[32]);
        } catch (InsituException refusal) {
            System.out.println(refusal.code());
        }
    }

    private static byte[] der(byte[] signature, boolean isHigh) {
        BigInteger r = new BigInteger(1, Arrays.copyOf(signature, 32));
        BigInteger s = new BigInteger(1, Arrays.copyOfRange(signature, 32, 64));
        try {
            return StandardDSAEncoding.INSTANCE.encode(ORDER, r, isHigh ? ORDER.subtract(s) : s);
        } catch (IOException cause) {
            throw new UncheckedIOException(cause);
        }
    }
}
