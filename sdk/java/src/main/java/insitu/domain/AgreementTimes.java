package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import java.util.List;

/**
 * The times that go into the terms of an agreement, in seconds.
 *
 * @param grantTimeout the provider grants before this, counted from the lock; from then on a refund is possible
 * @param timeout executions start before this, counted from the lock
 * @param settleTimeout executions are settled before this, counted from the end of {@code timeout}
 * @param lockTimeout how long after a quote its payment may be locked
 */
public record AgreementTimes(long grantTimeout, long timeout, long settleTimeout, long lockTimeout) {
    /** The contract refuses longer timeouts, so that no money can be locked for good. */
    public static final long MAX_TIMEOUT = 366 * 86_400;

    private static final String CONDITIONS = "/serviceAgreementTemplate/conditions";
    private static final long DEFAULT_TIMEOUT = 600;
    // Beyond the longest execution, to publish a result and settle it: by default, and at least.
    private static final long SETTLE_MARGIN = 3600;
    private static final long SETTLEMENT_LATENCY = 60;
    // The most seconds that a quote holds, whatever services say: owners sell at an old price for no longer.
    private static final long LONGEST_QUOTE = 3600;

    /**
     * Maps the timeouts of a compute service and of its conditions to those of an agreement, with defaults for 0.
     *
     * @param timeout {@code main.timeout} of the service
     * @param longestExecution largest {@code maxExecutionTime} of its servers
     * @throws InsituException {@code TimelockNotSupported}; {@code InvalidDocument} if a time is negative or above 366
     *     days, or if settling would end before an execution that started in time
     */
    public static AgreementTimes of(long timeout, List<AgreementTemplate.Stated> conditions, long longestExecution) {
        for (int at = 0; at < conditions.size(); at++) {
            if (conditions.get(at).timelock() != 0) {
                String detail = "a condition has timelock " + conditions.get(at).timelock();
                throw new InsituException(ErrorCode.TimelockNotSupported, detail, CONDITIONS + "/" + at + "/timelock");
            }
        }
        int lock = find(conditions, "lockReward");
        int grant = find(conditions, "execCompute");
        int settle = find(conditions, "escrowReward");
        AgreementTimes times = new AgreementTimes(
                stated(conditions, grant, Math.min(DEFAULT_TIMEOUT, timeout)),
                timeout,
                stated(conditions, settle, longestExecution + SETTLE_MARGIN),
                stated(conditions, lock, DEFAULT_TIMEOUT));
        requireInRange(timeout, "/timeout");
        requireInRange(times.lockTimeout, pointer(lock));
        requireInRange(times.grantTimeout, pointer(grant));
        requireInRange(times.settleTimeout, pointer(settle));
        if (times.grantTimeout > timeout) {
            throw invalid("a grant after the service's timeout would be useless", pointer(grant));
        }
        long least = longestExecution + SETTLEMENT_LATENCY;
        if (times.settleTimeout < least) {
            String detail = " s is too short to settle an execution that starts just in time: use ";
            throw invalid(times.settleTimeout + detail + least + " s", pointer(settle));
        }
        return times;
    }

    /** Returns the times of an agreement on several services: these, with the shortest lock timeout of all. */
    public AgreementTimes joint(List<AgreementTimes> others) {
        long shortest = Math.min(LONGEST_QUOTE, lockTimeout);
        for (AgreementTimes other : others) {
            shortest = Math.min(shortest, other.lockTimeout);
        }
        return new AgreementTimes(grantTimeout, timeout, settleTimeout, shortest);
    }

    private static int find(List<AgreementTemplate.Stated> conditions, String name) {
        int at = 0;
        while (at < conditions.size() && !conditions.get(at).is(name)) {
            at++;
        }
        return at < conditions.size() ? at : -1;
    }

    private static long stated(List<AgreementTemplate.Stated> conditions, int at, long instead) {
        return at < 0 || conditions.get(at).timeout() == 0
                ? instead
                : conditions.get(at).timeout();
    }

    private static String pointer(int at) {
        return at < 0 ? CONDITIONS : CONDITIONS + "/" + at + "/timeout";
    }

    private static void requireInRange(long seconds, String pointer) {
        if (seconds <= 0 || seconds > MAX_TIMEOUT) {
            throw invalid(seconds + " s is not between 1 and " + MAX_TIMEOUT + " s", pointer);
        }
    }

    private static InsituException invalid(String detail, String pointer) {
        return new InsituException(ErrorCode.InvalidDocument, detail, pointer);
    }
}
