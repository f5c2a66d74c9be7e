package insitu.receipt;

import insitu.domain.Address;
import insitu.domain.AgreementId;
import insitu.domain.InputVersion;
import insitu.domain.SigningDomain;
import insitu.domain.Terms;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a provider signs about an execution (an in-toto statement), in the words of the receipt. What is null is not
 * stated: the rules leave it out, or it did not happen. Times are those of RFC 3339, as they are written.
 *
 * @param predicateType the form of the receipt
 * @param subject what the statement is about: the output, or the workflow if nothing was published
 * @param predicate what happened
 */
public record Statement(String predicateType, List<Subject> subject, Predicate predicate) {
    /** A thing with digests. */
    public record Subject(String name, Map<String, String> digest) {}

    /**
     * What happened.
     *
     * @param workflowChecksum the version of the workflow that ran
     * @param number the execution's number in the agreement, from 0
     * @param outcome {@code Succeeded}, {@code Failed} or {@code Stopped}
     * @param more what only today's form states; null in a receipt of the first form, which nobody writes any more
     */
    public record Predicate(
            String workflowExecutionId,
            long number,
            String workflowDid,
            String workflowChecksum,
            Agreement agreement,
            List<Stage> stages,
            Policy policy,
            List<Phase> phases,
            String outcome,
            @Nullable Reason reason,
            @Nullable Output output,
            Charge charge,
            Software software,
            @Nullable More more) {
        /** Returns the DIDs of the data sets that were read, each once, in the workflow's order. */
        public List<String> dataSets() {
            return stages.stream()
                    .flatMap(stage -> stage.inputs().stream())
                    .flatMap(input -> Stream.ofNullable(input.did()))
                    .distinct()
                    .toList();
        }

        /** Returns whether the rules let out what algorithms print, and with it exit codes, usage and sentences. */
        public boolean letsLogsOut() {
            Long most = policy.output().maxLogBytes();
            return policy.output().logs().equals("live") && (most == null || most != 0);
        }

        /** Returns whether a stage began. */
        public boolean hasRun() {
            return phases.stream().anyMatch(entry -> entry.phase().equals("Executing"));
        }
    }

    /** The agreement that paid for it. */
    public record Agreement(String serviceAgreementId, long chainId, Address contract, Terms terms) {
        /** Returns the domain in which its terms were signed. */
        public SigningDomain domain() {
            return SigningDomain.ofAgreements(chainId, contract);
        }

        AgreementId id() {
            return new AgreementId(serviceAgreementId);
        }
    }

    /**
     * What today's form states in addition.
     *
     * @param revisionOf the version of the workflow in the terms, if another one ran
     * @param bought every data set once, in the workflow's order
     * @param parameters index of a stage, name, value, as given when the execution was started
     * @param failures {@code charged} or {@code free}: what was agreed about failures of the algorithm
     * @param withheld salted hash of what is left out; null if nothing is
     * @param notEnforced limits that nothing enforced
     */
    public record More(
            @Nullable String revisionOf,
            List<InputVersion> bought,
            Map<String, Map<String, JsonValue>> parameters,
            String failures,
            Delivered delivered,
            List<Approval> approvals,
            @Nullable String withheld,
            List<String> notEnforced) {}

    /** What reached the consumer; {@code logLines} is null if the log could not be counted. */
    public record Delivered(
            long files, long bytes, long logBytes, @Nullable Long logLines) {}

    /** An owner's approval. */
    public record Approval(String did, String owner, String digest, String expiresAt) {}

    /** One stage of the workflow. */
    public record Stage(
            long index,
            String stageType,
            Image image,
            Algorithm algorithm,
            Map<String, JsonValue> parameters,
            List<Input> inputs,
            long attempt,
            @Nullable String startedAt,
            @Nullable String endedAt,
            @Nullable Long exitCode,
            Usage usage,
            @Nullable Reason reason) {}

    /** The image in which a stage ran. */
    public record Image(
            String image,
            String tag,
            String digest,
            @Nullable String indexDigest) {}

    /** The algorithm of a stage, and the SHA-256 of its files. */
    public record Algorithm(String did, String checksum, Map<String, String> files) {}

    /** An input of a stage: a data set with the salted root of the files that were mounted, or an earlier stage. */
    public record Input(
            long index,
            long position,
            @Nullable String did,
            @Nullable String checksum,
            @Nullable String root,
            @Nullable Long previousStage) {}

    /** What a stage used, and what enforced each limit. */
    public record Usage(
            @Nullable Double cpuSeconds,
            @Nullable Long peakMemoryBytes,
            @Nullable Double wallSeconds,
            @Nullable Long outputBytes,
            Map<String, String> limits,
            Map<String, String> unavailable) {
        static final Usage NONE = new Usage(null, null, null, null, Map.of(), Map.of());
    }

    /** Why something ended as it did: a code of the error table, and a sentence. */
    public record Reason(String code, String message) {}

    /** The rules that it obeyed, and the versions of the documents that state them. */
    public record Policy(List<Finding> reasons, Map<String, String> checksums, OutputRules output) {}

    /** A remark about a data set. */
    public record Finding(String code, String did, String message) {}

    /** What may leave. */
    public record OutputRules(
            long maxBytes,
            long maxFiles,
            @Nullable Long maxLogBytes,
            @Nullable List<String> types,
            String logs,
            String review) {}

    /** When a phase began. */
    public record Phase(String phase, String at) {}

    /** What was published; see {@link insitu.domain.FileDigest#outputRoot}. */
    public record Output(String root, long files, long bytes, List<Long> publishedStages, String resultDid) {}

    /** What it costs: {@code full}, {@code ifNoneSucceeds} or {@code never}; the amount is in base units. */
    public record Charge(String rule, BigInteger amount) {}

    /** What computed. */
    public record Software(String name, String version, String runtime, Map<String, String> enforcement) {}
}
