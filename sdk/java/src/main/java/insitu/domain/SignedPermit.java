package insitu.domain;

import insitu.InsituException;
import insitu.internal.Bytes;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A signed token allowance (ERC-2612) as it is sent.
 *
 * @param value in base units
 * @param deadline in seconds since 1970, at least 1
 * @param signature of a key: 0x and hexadecimal digits of 65 bytes
 */
public record SignedPermit(BigInteger value, long deadline, String signature) {
    private static final String NO_WORD = "0x" + "00".repeat(32);

    /**
     * Returns a permit as contracts take it: value, deadline, v, r and s; a deadline of 0 says that there is none.
     *
     * @throws InsituException {@code SignatureMismatch} if its signature is not that of a key
     */
    static List<Object> tuple(@Nullable SignedPermit permit) {
        if (permit == null) {
            return List.of(0, 0, 0, NO_WORD, NO_WORD);
        }
        byte[] raw = Signatures.forCall(permit.signature);
        return List.of(
                permit.value,
                permit.deadline,
                (int) raw[64],
                Bytes.hex(Arrays.copyOf(raw, 32)),
                Bytes.hex(Arrays.copyOfRange(raw, 32, 64)));
    }
}
