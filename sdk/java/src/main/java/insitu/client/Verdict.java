package insitu.client;

import insitu.ErrorDefinition;
import insitu.InsituException;
import insitu.domain.ExpectedCost;
import insitu.domain.Quote;
import insitu.domain.Refusal;
import insitu.internal.Place;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Whether a workflow may run, and what it costs.
 *
 * @param isAllowed whether it may run
 * @param reasons why it may not; empty if it may
 * @param quote what the gateway offers; it was compared with documents and chain. Null if it may not run
 * @param cost what the documents say; null if it may not run
 */
public record Verdict(
        boolean isAllowed,
        List<Refusal> reasons,
        @Nullable Quote quote,
        @Nullable ExpectedCost cost) {
    /** Returns what the documents say that it costs, or refuses with the code of the first reason. */
    public ExpectedCost allowed() {
        requireAllowed();
        return Objects.requireNonNull(cost);
    }

    void requireAllowed() {
        if (!isAllowed) {
            Refusal first =
                    reasons.isEmpty() ? new Refusal("TermsMismatch", "", "the gateway refused") : reasons.get(0);
            ErrorDefinition known = ErrorDefinition.of(first.code());
            throw new InsituException(known, first.message(), null, List.of(), Map.of(), null);
        }
    }

    static Verdict read(Place at) {
        List<Refusal> reasons = at.at("reasons")
                .orElse(
                        List.of(),
                        list -> list.list(one -> new Refusal(
                                one.at("code").text(),
                                one.at("did").orElse("", did -> String.valueOf(did.optional(Place::text))),
                                one.at("message").text())));
        boolean isAllowed = at.at("allowed").flag();
        return new Verdict(isAllowed, reasons, isAllowed ? new Quote(at.object()) : null, null);
    }
}
