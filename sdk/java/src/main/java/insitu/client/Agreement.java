package insitu.client;

import insitu.domain.AgreementId;
import insitu.domain.Did;
import insitu.domain.Terms;
import java.math.BigInteger;

/**
 * A service agreement, and where it stood on chain when it was looked up.
 *
 * @param id the serviceAgreementId. It is all that an execution needs, even later and from elsewhere
 * @param terms what was agreed; they never change
 * @param state where it stands
 * @param now the chain's time, in seconds since 1970
 */
public record Agreement(AgreementId id, Terms terms, AgreementState state, long now) {
    /** Returns the price in base units of the token. */
    public BigInteger price() {
        return terms.total();
    }

    /** Returns the DID of the workflow that was bought. */
    public String workflowDid() {
        return Did.ofHex(terms.workflowId()).text();
    }

    /** Returns from when on no execution may start, in seconds since 1970. */
    public long endsAt() {
        return state.start() + terms.timeout();
    }

    /** Returns whether executions may start. */
    public boolean isExecutable() {
        return state.isGranted() && !state.isClosed() && !state.isRefunded() && now < endsAt();
    }

    /**
     * Returns where it stands in a word: {@code created}, {@code locked}, {@code granted}, {@code refunded},
     * {@code settled}, {@code closed} or {@code expired}.
     */
    public String status() {
        if (state.isRefunded() || state.isClosed()) {
            return state.isRefunded() ? "refunded" : "closed";
        }
        if (!state.isGranted()) {
            return state.isLocked() ? "locked" : "created";
        }
        boolean isSettled = price().signum() > 0 && state.settled().equals(price());
        return isSettled ? "settled" : now < endsAt() ? "granted" : "expired";
    }

    /** Returns what is in escrow, in base units. */
    BigInteger inEscrow() {
        return state.isLocked() ? price().subtract(state.settled()) : BigInteger.ZERO;
    }
}
