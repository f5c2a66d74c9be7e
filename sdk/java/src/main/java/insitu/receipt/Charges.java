package insitu.receipt;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What an ended execution costs (ADR 0098, ADR 0125). */
final class Charges {
    /** Reason of a success that delivered neither a file nor log text: it costs nothing. */
    static final String NOTHING_DELIVERED = "NothingDelivered";

    // Otherwise an algorithm prints its result, fails, and computes for nothing.
    private static final Set<String> NEVER_FREE = Set.of("OutputRejected", "StoppedByConsumer", "TimeLimitExceeded");
    private static final Set<String> CONSUMERS_RISK = Set.of(
            "AlgorithmFailed",
            "DiskLimitExceeded",
            "ForbiddenSystemCall",
            "LogLimitExceeded",
            "MemoryLimitExceeded",
            "ProcessLimitExceeded");
    // Ends that somebody else caused, who may be the consumer with another account.
    private static final Set<String> NOT_ALWAYS_THEIRS =
            Set.of("AlgorithmChanged", "ConfigurationFailed", "InputChanged", "StoppedByOwner");

    private Charges() {}

    /**
     * Returns the rule of the charge.
     *
     * @param reason code of the reason of the end, if it has one
     * @param delivered whether log text reached the consumer
     * @param failures what was agreed about failures of the algorithm
     */
    static String ruleOf(String outcome, @Nullable String reason, boolean delivered, String failures) {
        if (outcome.equals("Succeeded")) {
            return NOTHING_DELIVERED.equals(reason) ? "never" : "full";
        }
        if (reason == null) {
            return "never";
        }
        boolean isCharged = NEVER_FREE.contains(reason)
                || (!failures.equals("free") && CONSUMERS_RISK.contains(reason))
                || (delivered && NOT_ALWAYS_THEIRS.contains(reason));
        return isCharged ? "ifNoneSucceeds" : "never";
    }
}
