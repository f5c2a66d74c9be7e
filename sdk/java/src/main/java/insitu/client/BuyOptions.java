package insitu.client;

import insitu.domain.AgreementId;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** How a workflow is bought. Each method returns other options. */
public final class BuyOptions {
    /** Who sends a purchase to the chain. */
    public enum Relay {
        /** The account if it can, and otherwise the gateway. */
        IF_NEEDED,
        /** The gateway, which pays for the gas. */
        ALWAYS,
        /** The account, which pays for the gas. */
        NEVER
    }

    /** The only service, at any price, sent by whoever can. */
    public static final BuyOptions NONE = new BuyOptions(null, null, null, Relay.IF_NEEDED);

    private final @Nullable Long serviceIndex;
    private final @Nullable BigInteger maxPrice;
    private final @Nullable String seed;
    private final Relay relay;

    private BuyOptions(@Nullable Long serviceIndex, @Nullable BigInteger maxPrice, @Nullable String seed, Relay relay) {
        this.serviceIndex = serviceIndex;
        this.maxPrice = maxPrice;
        this.seed = seed;
        this.relay = relay;
    }

    /** Names the serviceDefinitionId of the first input's compute service. */
    public BuyOptions serviceIndex(long index) {
        return new BuyOptions(index, maxPrice, seed, relay);
    }

    /** Sets the highest price, in base units of the token; a higher one is refused before anything is signed. */
    public BuyOptions maxPrice(BigInteger price) {
        return new BuyOptions(serviceIndex, price, seed, relay);
    }

    /**
     * Sets the random part of the agreement's id, 64 hexadecimal digits. Store it before you buy, and you can repeat the call
     * after a crash: what this account bought with this seed is found, and not bought again.
     *
     * @throws insitu.InsituException {@code InvalidId}
     */
    public BuyOptions seed(String digits) {
        return new BuyOptions(serviceIndex, maxPrice, new AgreementId(digits).text(), relay);
    }

    /** Sets who sends the purchase. */
    public BuyOptions relay(Relay who) {
        return new BuyOptions(serviceIndex, maxPrice, seed, who);
    }

    @Nullable
    Long serviceIndex() {
        return serviceIndex;
    }

    @Nullable
    BigInteger maxPrice() {
        return maxPrice;
    }

    @Nullable
    String seed() {
        return seed;
    }

    Relay relay() {
        return relay;
    }
}
