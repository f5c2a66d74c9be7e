package insitu.rules;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.AgreementTimes;
import insitu.domain.ComputeService;
import insitu.domain.Container;
import insitu.domain.Ddo;
import insitu.domain.Did;
import insitu.domain.FileTypes;
import insitu.domain.Policy;
import insitu.domain.Units;
import insitu.internal.Bytes;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Rules of the compute service: what must be stated before anybody can buy and run. */
final class ComputeRules {
    /** The most servers, containers, or entries of a list in the policy of one service. */
    static final int MOST_ENTRIES = 1000;

    private static final int LONGEST_USE = 4096;

    private ComputeRules() {}

    /** Checks a service of type compute. {@code main} stands at its {@code attributes.main}. */
    static void check(Ddo.Service service, Checker main) {
        ComputeService offered = main.read(ComputeService.completeMain(service), ComputeService::read);
        if (offered == null) {
            return;
        }
        if (offered.creator() != null) {
            checkAddress(offered.creator(), main.at("creator"));
        }
        AssetRules.checkTime(offered.datePublished(), main.at("datePublished"));
        main.at("price")
                .require(
                        service.main().get("price") != null,
                        "Required",
                        "a compute service has a price, even if it is 0");
        checkSeconds(offered.timeout(), "timeout", main);
        checkEnvironment(offered, main.at("provider", "environment"));
        checkPolicy(offered.policy(), main.at("policy"));
        TemplateRules.check(service.templateId(), offered.template(), main.at("serviceAgreementTemplate"));
        checkTimes(offered, main);
    }

    /**
     * Checks what older documents may say and new ones may not.
     *
     * @param isHashed the description of each file of the data set has its SHA-256
     * @param checker stands at the service's entry in the document
     */
    static void checkNew(Ddo.Service service, boolean isHashed, Checker checker) {
        Checker main = checker.at("attributes", "main");
        ComputeService offered = main.read(ComputeService.completeMain(service), ComputeService::read);
        if (offered == null) {
            return;
        }
        Policy policy = offered.policy();
        Checker at = main.at("policy");
        at.at("logs")
                .require(
                        !"after_review".equals(policy.logs()),
                        ErrorCode.ManualReviewNotSupported,
                        "there is no review yet, so logs are live or none");
        for (String pointer : policy.notUnderstood()) {
            String message = "this version of insitu cannot obey the rule " + pointer;
            at.below(pointer).report(ErrorCode.PolicyNotUnderstood, message);
        }
        at.at("data")
                .require(
                        policy.data().equals("newest") || isHashed,
                        "Contradiction",
                        "data can only be pinned if the description of each file has its SHA-256");
        String message = "failures can only be free where logs are none, or maxLogBytes is at most ";
        at.at("failures")
                .require(
                        policy.failures().equals("charged") || policy.failuresAreFree(),
                        "Contradiction",
                        message + Policy.FREE_FAILURE_LOG_BYTES);
    }

    private static void checkSeconds(long seconds, String name, Checker checker) {
        boolean isInRange = seconds > 0 && seconds <= AgreementTimes.MAX_TIMEOUT;
        String message = name + " is 1 to " + AgreementTimes.MAX_TIMEOUT + " seconds";
        checker.at(name).require(isInRange, "OutOfRange", message);
    }

    private static boolean checkCount(@Nullable List<?> entries, Checker checker) {
        boolean areFew = entries == null || entries.size() <= MOST_ENTRIES;
        return checker.require(areFew, "TooMany", "at most " + MOST_ENTRIES + " entries");
    }

    private static void checkEnvironment(ComputeService offered, Checker checker) {
        List<Container> containers = offered.containers();
        List<ComputeService.Server> servers = offered.servers();
        Checker atContainers = checker.at("supportedContainers");
        Checker atServers = checker.at("supportedServers");
        if (!checkCount(containers, atContainers) || !checkCount(servers, atServers)) {
            return;
        }
        for (int position = 0; position < containers.size(); position++) {
            WorkflowRules.checkContainer(containers.get(position), atContainers.at(position));
        }
        atServers.require(!servers.isEmpty(), "Required", "at least one server is needed");
        Set<String> seen = new HashSet<>();
        for (int position = 0; position < servers.size(); position++) {
            ComputeService.Server server = servers.get(position);
            Checker at = atServers.at(position);
            checkServer(server, at);
            if (server.serverId() != null) {
                at.at("serverId").require(seen.add(server.serverId()), "Duplicate", "two servers have this id");
            }
        }
    }

    private static void checkServer(ComputeService.Server server, Checker checker) {
        checker.at("serverId").require(DocumentRules.hasText(server.serverId()), "Required", "a server needs an id");
        checkQuantity(server.cpu(), Units::parseCores, 1, checker.at("cpu"));
        checkQuantity(server.gpu(), Units::parseCount, 0, checker.at("gpu"));
        checkQuantity(server.memory(), Units::parseBytes, 1, checker.at("memory"));
        checkQuantity(server.disk(), Units::parseBytes, 1, checker.at("disk"));
        checkSeconds(server.maxExecutionTime(), "maxExecutionTime", checker);
    }

    private static void checkQuantity(String text, ToLongFunction<String> parse, long least, Checker checker) {
        Long quantity = checker.attempt(() -> parse.applyAsLong(text), "WrongFormat");
        checker.require(quantity == null || quantity >= least, "OutOfRange", "at least " + least + " is needed");
    }

    private static void checkPolicy(Policy policy, Checker checker) {
        Checker at = checker.at("algorithms");
        if (policy.algorithms() != null) {
            checkCount(policy.algorithms(), at);
            for (int position = 0; position < Math.min(policy.algorithms().size(), MOST_ENTRIES); position++) {
                Policy.Reference reference = policy.algorithms().get(position);
                Checker here = at.at(position);
                here.at("did").require(Did.isDid(reference.did()), "InvalidDid", "did:nv: and 64 hex digits");
                boolean isHash = Bytes.sha256Of(reference.checksum()).isPresent();
                here.at("checksum").require(isHash, "WrongFormat", "the on-chain checksum: 64 hex digits");
            }
        } else {
            at.require(
                    !policy.namesAny() || policy.publishers().isEmpty(),
                    "Contradiction",
                    "allow any algorithm, or those of the named publishers, but not both");
        }
        List<String> types = Optional.ofNullable(policy.output().types()).orElse(List.of());
        for (int position = 0; position < types.size(); position++) {
            checker.at("output", "types")
                    .at(position)
                    .requireNone(FileTypes.typeProblem(types.get(position)), "WrongFormat", "");
        }
        checkCount(policy.publishers(), checker.at("publishers"));
        checkCount(policy.consumers(), checker.at("consumers"));
        checkCount(policy.parameters(), checker.at("parameters"));
        int length = policy.use() == null
                ? 0
                : policy.use().codePointCount(0, policy.use().length());
        checker.at("use").require(length <= LONGEST_USE, "TooMany", "at most " + LONGEST_USE + " characters");
        checker.at("review")
                .require(
                        !policy.isReviewed(), ErrorCode.ManualReviewNotSupported, "manual review is not available yet");
    }

    /** Checks an account's address, and returns it, or null. */
    static @Nullable Address checkAddress(@Nullable String text, Checker checker) {
        return checker.attempt(() -> new Address(text == null ? "" : text), "WrongFormat");
    }

    private static void checkTimes(ComputeService offered, Checker main) {
        boolean isReported = offered.timeout() <= 0
                || offered.timeout() > AgreementTimes.MAX_TIMEOUT
                || offered.servers().isEmpty()
                || (offered.template() != null
                        && offered.template().conditions().stream().anyMatch(one -> one.timelock() != 0));
        if (isReported) {
            return;
        }
        try {
            offered.times();
        } catch (InsituException refusal) {
            main.below(refusal.pointer().orElse("")).report("OutOfRange", refusal.detail());
        }
    }
}
