package insitu.client;

import java.math.BigInteger;

/**
 * What closing an agreement costs and returns, in base units of the token.
 *
 * @param status where it stands
 * @param charge what its provider gets
 * @param returned what comes back
 */
public record Closing(String status, BigInteger charge, BigInteger returned) {}
