package insitu.domain;

import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonArray;
import insitu.json.JsonNumber;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * {@code main.policy} of a compute service: the data owner's rules. An absent policy allows any algorithm.
 *
 * @param namesAny it says in so many words that any algorithm may run
 * @param algorithms those that may run, each in one version; null if there is no such list
 * @param publishers whose algorithms are trusted, each in its current version
 * @param consumers who may buy and execute; null for everybody
 * @param use what the data may be used for, in the owner's words
 * @param output limits on what may leave
 * @param isReviewed a person looks at every output before it leaves
 * @param logs {@code live}, {@code after_review} or {@code none}, if it says so
 * @param revisions whether another version of the bought workflow may run: {@code none}, {@code untilSuccess},
 *     {@code always}
 * @param parameters names of the parameters that an execution may set; null for none
 * @param failures whether the price is due if nothing succeeded: {@code charged} or {@code free}
 * @param data the files that an execution reads: those of the {@code newest} version, or of the bought one
 *     ({@code pinned})
 * @param maxExecutions of one agreement
 * @param notUnderstood JSON pointers to what this package cannot obey; nothing may run under such a policy
 */
public record Policy(
        boolean namesAny,
        @Nullable List<Reference> algorithms,
        List<Address> publishers,
        @Nullable List<Address> consumers,
        @Nullable String use,
        Output output,
        boolean isReviewed,
        @Nullable String logs,
        String revisions,
        @Nullable List<String> parameters,
        String failures,
        String data,
        long maxExecutions,
        List<String> notUnderstood) {
    /** The version of the rules' meaning that this package understands. */
    public static final long VERSION = 1;

    /** What a policy allows that does not say how often. */
    public static final long DEFAULT_MAX_EXECUTIONS = 100;

    /** The most log text with which failures can be free: otherwise one prints the result, fails, and pays nothing. */
    public static final long FREE_FAILURE_LOG_BYTES = 16 * 1024;

    // Bytes of log text for an owner who limits the bytes or types of files and does not mention logs.
    private static final long DEFAULT_MAX_LOG_BYTES = 64 * 1024;
    // Unknown members that are named, and characters of each: a hostile document must not cause a huge answer.
    private static final int MOST_UNKNOWN = 100;

    // What is read below. A member that is not here is a rule that this package cannot obey.
    private static final Set<String> MEMBERS = Set.of(
            "version",
            "algorithms",
            "publishers",
            "consumers",
            "use",
            "output",
            "review",
            "logs",
            "revisions",
            "parameters",
            "failures",
            "data",
            "maxExecutions");
    private static final Set<String> OUTPUT_MEMBERS = Set.of("maxBytes", "maxFiles", "maxLogBytes", "types");
    private static final Set<String> REFERENCE_MEMBERS = Set.of("did", "checksum");

    /** An algorithm that may run, in the version with this on-chain checksum. */
    public record Reference(String did, String checksum) {
        static Reference read(Place at) {
            return new Reference(at.at("did").needed(), at.at("checksum").needed());
        }
    }

    /** Limits on what may leave; null limits nothing. Bytes of all files and their paths, files, bytes of log, types. */
    public record Output(
            @Nullable Long maxBytes,
            @Nullable Long maxFiles,
            @Nullable Long maxLogBytes,
            @Nullable List<String> types) {
        static Output read(Place at) {
            return new Output(
                    at.at("maxBytes").optional(Place::count),
                    at.at("maxFiles").optional(Place::count),
                    at.at("maxLogBytes").optional(Place::count),
                    at.at("types").optional(list -> list.list(Place::text)));
        }

        /** Returns how many bytes of log text one execution may show; without a limit, nothing. */
        public OptionalLong effectiveLogBytes() {
            if (maxLogBytes != null) {
                return OptionalLong.of(maxLogBytes);
            }
            if (maxBytes == null) {
                return types == null ? OptionalLong.empty() : OptionalLong.of(DEFAULT_MAX_LOG_BYTES);
            }
            return OptionalLong.of(Math.min(maxBytes, DEFAULT_MAX_LOG_BYTES));
        }
    }

    /** Reads a policy, leniently: what is unknown is in {@code notUnderstood}. */
    public static Policy read(JsonValue json) {
        return read(Place.of(json));
    }

    static Policy read(Place at) {
        long version = at.at("version").orElse(VERSION, Place::integer);
        Place algorithms = at.at("algorithms");
        List<Reference> listed = algorithms.optional(one -> wordOr(one, list -> list.list(Reference::read), "any"));
        List<Address> publishers = at.at("publishers").orElse(List.of(), list -> list.list(Place::address));
        Place consumers = at.at("consumers");
        List<Address> admitted =
                consumers.orElse(null, one -> wordOr(one, list -> list.list(Place::address), "any", "approved"));
        return new Policy(
                algorithms.value() instanceof JsonString,
                listed,
                publishers,
                admitted,
                at.at("use").optional(Place::text),
                at.at("output").orEmpty(Output::read),
                at.at("review").orElse(false, Policy::review),
                at.at("logs").optional(one -> one.oneOf("live", "after_review", "none")),
                at.at("revisions").orElse("none", one -> one.oneOf("none", "untilSuccess", "always")),
                at.at("parameters").optional(list -> list.list(Place::text)),
                at.at("failures").orElse("charged", one -> one.oneOf("charged", "free")),
                at.at("data").orElse("newest", one -> one.oneOf("newest", "pinned")),
                at.at("maxExecutions").orElse(DEFAULT_MAX_EXECUTIONS, one -> one.integer(1, JsonNumber.MAX)),
                notUnderstood(at.object(), version));
    }

    private static <T> @Nullable T wordOr(Place at, Function<Place, T> read, String... words) {
        if (at.value() instanceof JsonString) {
            at.oneOf(words);
            return null;
        }
        return read.apply(at);
    }

    private static boolean review(Place at) {
        return at.value() instanceof JsonString ? at.oneOf("none", "manual").equals("manual") : at.object() != null;
    }

    private static List<String> notUnderstood(JsonObject json, long version) {
        List<String> found = new ArrayList<>();
        if (version != VERSION) {
            found.add("/version");
        }
        if (new JsonString("approved").equals(json.get("consumers"))) {
            found.add("/consumers");
        }
        List<String> unknown = new ArrayList<>();
        addUnknown("", json, MEMBERS, unknown);
        addUnknown("/output", json.get("output"), OUTPUT_MEMBERS, unknown);
        if (json.get("algorithms") instanceof JsonArray references) {
            for (int at = 0; at < references.items().size(); at++) {
                addUnknown("/algorithms/" + at, references.items().get(at), REFERENCE_MEMBERS, unknown);
            }
        }
        found.addAll(unknown.subList(0, Math.min(unknown.size(), MOST_UNKNOWN)));
        return List.copyOf(found);
    }

    private static void addUnknown(String at, @Nullable JsonValue part, Set<String> known, List<String> unknown) {
        if (part instanceof JsonObject object) {
            object.members().keySet().stream()
                    .filter(name -> !known.contains(name))
                    .limit(MOST_UNKNOWN)
                    .forEach(name -> unknown.add(at + "/" + Json.pointerSegment(Ids.beginning(name, MOST_UNKNOWN))));
        }
    }

    /** Returns whether every algorithm may run. Naming publishers restricts, even together with {@code any}. */
    public boolean allowsAny() {
        return publishers.isEmpty() && algorithms == null;
    }

    /** Returns whether this version of an algorithm may run. */
    public boolean allows(AlgorithmVersion algorithm) {
        String checksum = Bytes.plainDigits(algorithm.checksum());
        return allowsAny()
                || (algorithm.isCurrent() && trusts(algorithm))
                || (algorithms != null
                        && algorithms.stream()
                                .anyMatch(listed -> listed.did.equals(algorithm.did())
                                        && Bytes.plainDigits(listed.checksum).equals(checksum)));
    }

    /**
     * Returns whether both the creator of an algorithm and who registered this version are trusted publishers. One of them
     * is not enough: an account that buys a trusted algorithm's DID registers other code under it.
     */
    public boolean trusts(AlgorithmVersion algorithm) {
        return publishers.contains(algorithm.publisher()) && publishers.contains(algorithm.registrant());
    }

    /** Returns whether a consumer may buy and execute. */
    public boolean admits(Address consumer) {
        return consumers == null || consumers.contains(consumer);
    }

    /** Returns whether the consumer sees the algorithm's logs; by default live if nothing is reviewed. */
    public String effectiveLogs() {
        if (logs != null) {
            return logs;
        }
        return isReviewed ? "after_review" : "live";
    }

    /** Returns whether failures are free, and so little of them reaches the consumer that they can be. */
    public boolean failuresAreFree() {
        boolean isShort = output.effectiveLogBytes().orElse(Long.MAX_VALUE) <= FREE_FAILURE_LOG_BYTES;
        return failures.equals("free") && (effectiveLogs().equals("none") || isShort);
    }
}
