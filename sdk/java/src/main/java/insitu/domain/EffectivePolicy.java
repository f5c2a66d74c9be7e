package insitu.domain;

import insitu.ErrorCode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What an execution obeys: the strictest of several policies. Null is no limit.
 *
 * @param maxExecutions of the agreement
 * @param failures whether the price is due if nothing succeeded: {@code charged} or {@code free}
 * @param data the files that are read: those of the {@code newest} version, or of the bought one ({@code pinned})
 * @param maxBytes of all files and their paths
 * @param maxFiles that may leave
 * @param maxLogBytes bytes of text that one execution may show as log
 * @param types of files that may leave
 * @param isReviewed a person looks at every output before it leaves
 * @param logs {@code live}, {@code after_review} or {@code none}
 * @param revisions whether another version of the workflow may run: {@code always}, {@code untilSuccess}, {@code none}
 * @param parameters names of the parameters that an execution may set
 */
public record EffectivePolicy(
        long maxExecutions,
        String failures,
        String data,
        @Nullable Long maxBytes,
        @Nullable Long maxFiles,
        @Nullable Long maxLogBytes,
        @Nullable List<String> types,
        boolean isReviewed,
        String logs,
        String revisions,
        List<String> parameters) {
    // From open to strict.
    private static final List<String> LOGS = List.of("live", "after_review", "none");
    private static final List<String> REVISIONS = List.of("always", "untilSuccess", "none");

    /** The policy of an input in one version. */
    public record InputPolicy(String did, Policy policy) {}

    /**
     * Returns what an execution obeys. Terms of sale are the bought versions' alone; of a restriction the strictest holds,
     * so that an owner can tighten it at any time, and loosening it does not widen an old purchase.
     *
     * @param bought the policy of each input in the version that was bought
     * @param current the same in the current version; empty before the purchase
     */
    public static EffectivePolicy of(List<InputPolicy> bought, List<InputPolicy> current) {
        List<Policy> sold = bought.stream().map(InputPolicy::policy).toList();
        List<Policy> every = Stream.concat(bought.stream(), current.stream())
                .map(InputPolicy::policy)
                .toList();
        Long executions = smallest(sold, Policy::maxExecutions);
        boolean isFree = !sold.isEmpty() && sold.stream().allMatch(Policy::failuresAreFree);
        boolean isPinned = sold.stream().anyMatch(policy -> policy.data().equals("pinned"));
        return new EffectivePolicy(
                executions == null ? Policy.DEFAULT_MAX_EXECUTIONS : executions,
                isFree ? "free" : "charged",
                isPinned ? "pinned" : "newest",
                smallest(every, policy -> policy.output().maxBytes()),
                smallest(every, policy -> policy.output().maxFiles()),
                smallest(every, EffectivePolicy::logBytes),
                commonTypes(every),
                every.stream().anyMatch(Policy::isReviewed),
                strictest(LOGS, every, Policy::effectiveLogs),
                strictest(REVISIONS, every, Policy::revisions),
                commonNames(every));
    }

    /**
     * Returns why these algorithms may not run for this consumer; empty if they may.
     *
     * @param inputs the policy of every input, bought and current
     */
    public static List<Refusal> refusals(
            List<InputPolicy> inputs, List<AlgorithmVersion> algorithms, Address consumer) {
        Set<Refusal> found = new LinkedHashSet<>();
        for (InputPolicy input : inputs) {
            for (AlgorithmVersion algorithm : algorithms) {
                if (!input.policy.allows(algorithm)) {
                    found.add(refusal(input, algorithm));
                }
            }
            addRefusals(input, consumer, found);
        }
        return List.copyOf(found);
    }

    private static Refusal refusal(InputPolicy input, AlgorithmVersion algorithm) {
        String owner = "the policy of " + input.did;
        if (input.policy.trusts(algorithm)) {
            String message = owner + " trusts the publisher of " + algorithm.shown() + ", but there is a newer version";
            return new Refusal(ErrorCode.AlgorithmOutdated, input.did, message);
        }
        return new Refusal(ErrorCode.AlgorithmNotAllowed, input.did, owner + " does not allow " + algorithm.shown());
    }

    private static void addRefusals(InputPolicy input, Address consumer, Set<Refusal> found) {
        String owner = "the policy of " + input.did;
        if (!input.policy.admits(consumer)) {
            String message = owner + " does not list the consumer " + consumer;
            found.add(new Refusal(ErrorCode.ConsumerNotAllowed, input.did, message));
        }
        if (input.policy.isReviewed()) {
            found.add(new Refusal(ErrorCode.ManualReviewNotSupported, input.did, owner + " asks for manual review"));
        }
        for (String pointer : input.policy.notUnderstood()) {
            String message = owner + " has the rule " + pointer + ", which this version of insitu cannot obey";
            found.add(new Refusal(ErrorCode.PolicyNotUnderstood, input.did, message));
        }
    }

    private static @Nullable Long smallest(List<Policy> policies, Function<Policy, @Nullable Long> limit) {
        return policies.stream()
                .map(limit)
                .filter(Objects::nonNull)
                .min(Long::compare)
                .orElse(null);
    }

    private static @Nullable Long logBytes(Policy policy) {
        return policy.output().effectiveLogBytes().isPresent()
                ? policy.output().effectiveLogBytes().getAsLong()
                : null;
    }

    private static String strictest(List<String> order, List<Policy> policies, Function<Policy, String> word) {
        return order.get(policies.stream()
                .mapToInt(policy -> order.indexOf(word.apply(policy)))
                .max()
                .orElse(0));
    }

    private static @Nullable List<String> commonTypes(List<Policy> policies) {
        List<List<String>> types = policies.stream()
                .map(policy -> policy.output().types())
                .filter(Objects::nonNull)
                .toList();
        // A list is also compared with itself, so that it is written as rules compare it.
        return types.isEmpty() ? null : types.stream().reduce(types.get(0), FileTypes::commonTypes);
    }

    private static List<String> commonNames(List<Policy> policies) {
        List<String> common = null;
        for (Policy policy : policies) {
            List<String> names = policy.parameters() == null ? List.of() : policy.parameters();
            if (common == null) {
                common = new ArrayList<>(names);
            }
            common.retainAll(names);
        }
        return common == null ? List.of() : common.stream().distinct().sorted().toList();
    }
}
