package insitu.domain;

import java.math.BigInteger;
import java.util.Map;

/**
 * A token allowance (ERC-2612).
 *
 * @param owner who pays
 * @param spender who may take the amount
 * @param value in base units
 * @param nonce the token's {@code nonces(owner)}
 * @param deadline in seconds since 1970
 */
public record Permit(Address owner, Address spender, BigInteger value, BigInteger nonce, long deadline) {
    /** Returns the allowance as typed data; the domain is the token's. */
    public TypedData typedData(SigningDomain token) {
        Map<String, Object> members =
                Map.of("owner", owner, "spender", spender, "value", value, "nonce", nonce, "deadline", deadline);
        return new TypedData(token, Structs.PERMIT, members);
    }
}
