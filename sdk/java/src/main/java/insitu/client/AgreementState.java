package insitu.client;

import insitu.domain.Terms;
import java.math.BigInteger;

/**
 * Where an agreement stands on chain; nothing of it is true if there is none.
 *
 * @param settled base units that were paid out
 * @param start when it was created, and from the lock on when it was locked, in seconds since 1970
 * @param isLocked whether the payment is in escrow, or was
 * @param isGranted whether the provider agreed
 * @param isRefunded whether the money went back: it was refused, cancelled, or timed out
 * @param isClosed whether its provider ended it
 */
public record AgreementState(
        BigInteger settled, long start, boolean isLocked, boolean isGranted, boolean isRefunded, boolean isClosed) {
    /** Returns from when on anybody may refund it: too late for a grant, or for a settlement. */
    public long timeout(Terms terms) {
        return start + (isGranted ? terms.timeout() + terms.settleTimeout() : terms.grantTimeout());
    }
}
