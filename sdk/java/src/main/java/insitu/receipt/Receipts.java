package insitu.receipt;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.AgreementId;
import insitu.domain.Did;
import insitu.domain.InputVersion;
import insitu.domain.Terms;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.json.Json;
import insitu.json.JsonValue;
import insitu.receipt.Statement.More;
import insitu.receipt.Statement.Output;
import insitu.receipt.Statement.Predicate;
import insitu.receipt.Statement.Reason;
import insitu.receipt.Statement.Subject;
import insitu.receipt.Statement.Usage;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Checks receipts offline: the signature, the form, and that the parts match each other and the terms. */
public final class Receipts {
    /** What views hide from whoever may not see the logs. */
    private static final String HIDDEN = "the owner's policy keeps the details";

    private static final Map<String, String> HIDDEN_FIGURES = Stream.of(
                    "cpu_seconds", "peak_memory_bytes", "wall_seconds", "output_bytes")
            .collect(Collectors.toUnmodifiableMap(figure -> figure, figure -> HIDDEN));

    private Receipts() {}

    /**
     * Checks a receipt.
     *
     * @param envelope the JSON of its envelope, as {@code insitu receipt} writes it
     * @throws InsituException {@code ReceiptInvalid}, which says what check failed
     */
    public static VerifiedReceipt verify(byte[] envelope) {
        return verify(Envelope.read(envelope));
    }

    /** Checks a receipt; see {@link #verify(byte[])}. */
    public static VerifiedReceipt verify(Envelope envelope) {
        if (!envelope.payloadType().equals(Envelope.PAYLOAD_TYPE)) {
            throw invalid("the payload is not of type " + Envelope.PAYLOAD_TYPE);
        }
        byte[] payload = envelope.bytes();
        var signer = envelope.signer();
        Statement statement = read(payload);
        Predicate predicate = statement.predicate();
        Terms terms = predicate.agreement().terms();
        List<Check> checks = new ArrayList<>(List.of(
                new Check("the provider of the agreement signed it", signer.equals(terms.provider())),
                new Check("the agreement id is the digest of its terms", fitsTerms(predicate)),
                new Check("the execution id belongs to the agreement and the number", fitsNumber(predicate)),
                new Check("the subject is the output", statement.subject().equals(List.of(subjectOf(predicate))))));
        More more = predicate.more();
        checks.addAll(more == null ? checksOfFirstForm(predicate) : checksOf(predicate, more));
        List<String> checked = new ArrayList<>(List.of("the signature is valid", "the payload is canonical"));
        checked.addAll(Check.requireAll(checks));
        return new VerifiedReceipt(signer, hash(payload), statement, checked);
    }

    /** Returns the hash that the contract commits to: 0x and the SHA-256 of a payload. */
    public static String hash(byte[] payload) {
        return Bytes.hex(Hashes.sha256(payload));
    }

    private static Statement read(byte[] payload) {
        try {
            JsonValue json = Json.read(payload);
            if (!Arrays.equals(Json.canonical(json), payload)) {
                throw invalid("the receipt is not canonical JSON");
            }
            return StatementReader.read(json);
        } catch (InsituException cause) {
            throw cause.code().equals(ErrorCode.ReceiptInvalid)
                    ? cause
                    : new InsituException(
                            ErrorCode.ReceiptInvalid, "the payload is not a receipt of an execution", cause);
        }
    }

    private static List<Check> checksOf(Predicate predicate, More more) {
        Terms terms = predicate.agreement().terms();
        boolean wasRead = more.delivered().logBytes() > 0;
        String rule = Charges.ruleOf(predicate.outcome(), codeOf(predicate.reason()), wasRead, more.failures());
        return List.of(
                new Check(
                        "the workflow is that of the terms",
                        predicate
                                .workflowDid()
                                .equals(Did.ofHex(terms.workflowId()).text())),
                new Check(
                        "the version of the workflow is that of the terms, or stated as a revision of it",
                        fitsVersion(predicate, more)),
                new Check(
                        "the versions of the data sets are those of the terms",
                        InputVersion.hash(more.bought()).equals(terms.inputsHash())),
                new Check("it read the data sets of the terms", fitsData(predicate, more)),
                new Check("parameters were given to stages that it has", fitsParameters(predicate, more)),
                new Check("an output was published if and only if it succeeded", fitsOutput(predicate, more)),
                new Check(
                        "what was delivered is the output, and log text only as the rules allow",
                        fitsDelivery(predicate, more)),
                new Check(
                        "the charge follows from the outcome and what was delivered",
                        predicate.charge().rule().equals(rule)),
                new Check("the amount is the price of the terms, or nothing", fitsAmount(predicate)),
                new Check("what the rules hide is left out, and committed to", hides(predicate, more)),
                new Check(
                        "it lists the limits that were not enforced",
                        more.notEnforced().equals(notEnforced(predicate))),
                new Check("it ended in the phase that it states last", endsInOutcome(predicate)));
    }

    private static List<Check> checksOfFirstForm(Predicate predicate) {
        Terms terms = predicate.agreement().terms();
        boolean isBought =
                predicate.workflowDid().equals(Did.ofHex(terms.workflowId()).text())
                        && Bytes.plainDigits(terms.workflowHash())
                                .equals(predicate.workflowChecksum().toLowerCase(Locale.ROOT));
        boolean couldRead = predicate.letsLogsOut() && predicate.hasRun();
        String reason = codeOf(predicate.reason());
        Set<String> fitting = Stream.of(false, couldRead)
                .map(delivered -> Charges.ruleOf(predicate.outcome(), reason, delivered, "charged"))
                .collect(Collectors.toSet());
        Output output = predicate.output();
        boolean succeeded = predicate.outcome().equals("Succeeded");
        boolean isPublished = succeeded == (output != null)
                && (succeeded || reason != null)
                && (!Charges.NOTHING_DELIVERED.equals(reason) || (output != null && output.files() == 0));
        String first = predicate.dataSets().stream().findFirst().orElse("");
        return List.of(
                new Check("the workflow and its version are those of the terms", isBought),
                new Check(
                        "the first data set is that of the terms",
                        first.equals(Did.ofHex(terms.did()).text())),
                new Check(
                        "the charge follows from the outcome",
                        fitting.contains(predicate.charge().rule()) && fitsAmount(predicate)),
                new Check("an output was published if and only if it succeeded", isPublished));
    }

    private static boolean fitsTerms(Predicate predicate) {
        var agreement = predicate.agreement();
        var domain = agreement.domain();
        AgreementId id = predicate.more() == null
                ? agreement.terms().firstFormId(domain)
                : agreement.terms().id(domain);
        return id.equals(agreement.id());
    }

    private static Subject subjectOf(Predicate predicate) {
        Output output = predicate.output();
        return output != null
                ? new Subject(output.resultDid(), Map.of("sha256", output.root()))
                : new Subject(predicate.workflowDid(), Map.of("sha3_256", predicate.workflowChecksum()));
    }

    private static boolean fitsNumber(Predicate predicate) {
        long number = predicate.number();
        return number >= 0
                && number < 1L << 32
                && predicate
                        .workflowExecutionId()
                        .equals(predicate.agreement().id().execution(number));
    }

    private static boolean fitsAmount(Predicate predicate) {
        var charge = predicate.charge();
        return charge.amount().equals(BigInteger.ZERO)
                || (!charge.rule().equals("never")
                        && charge.amount().equals(predicate.agreement().terms().total()));
    }

    private static boolean fitsVersion(Predicate predicate, More more) {
        String bought = Bytes.plainDigits(predicate.agreement().terms().workflowHash());
        boolean isBought = predicate.workflowChecksum().equals(bought);
        return more.revisionOf() == null ? isBought : more.revisionOf().equals(bought) && !isBought;
    }

    private static boolean fitsData(Predicate predicate, More more) {
        List<String> read = predicate.dataSets();
        String first = Did.ofHex(predicate.agreement().terms().did()).text();
        return !read.isEmpty()
                && read.get(0).equals(first)
                && read.equals(more.bought().stream().map(InputVersion::did).toList());
    }

    private static boolean fitsParameters(Predicate predicate, More more) {
        Set<String> known = predicate.stages().stream()
                .map(stage -> Long.toString(stage.index()))
                .collect(Collectors.toSet());
        return known.containsAll(more.parameters().keySet());
    }

    private static boolean fitsOutput(Predicate predicate, More more) {
        boolean succeeded = predicate.outcome().equals("Succeeded");
        if (succeeded != (predicate.output() != null)) {
            return false;
        }
        boolean isNothing = Charges.NOTHING_DELIVERED.equals(codeOf(predicate.reason()));
        if (!succeeded) {
            return predicate.reason() != null && !isNothing;
        }
        return (more.delivered().files() == 0 && more.delivered().logBytes() == 0) == isNothing;
    }

    private static boolean fitsDelivery(Predicate predicate, More more) {
        var delivered = more.delivered();
        Output output = predicate.output();
        boolean couldRead = predicate.letsLogsOut() && predicate.hasRun();
        Long most = couldRead ? predicate.policy().output().maxLogBytes() : Long.valueOf(0);
        return (most == null || delivered.logBytes() <= most)
                && (delivered.logLines() == null || delivered.logLines() <= delivered.logBytes())
                && delivered.files() == (output == null ? 0 : output.files())
                && delivered.bytes() == (output == null ? 0 : output.bytes());
    }

    private static List<String> notEnforced(Predicate predicate) {
        return predicate.software().enforcement().entrySet().stream()
                .filter(limit -> limit.getValue().equals("none"))
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
    }

    private static boolean endsInOutcome(Predicate predicate) {
        var phases = predicate.phases();
        return !phases.isEmpty() && phases.get(phases.size() - 1).phase().equals(predicate.outcome());
    }

    // Nothing is left out if logs are let out, and otherwise all that the algorithm determines.
    private static boolean hides(Predicate predicate, More more) {
        if (predicate.letsLogsOut()) {
            return more.withheld() == null;
        }
        return more.withheld() != null
                && isHidden(predicate.reason())
                && predicate.stages().stream()
                        .allMatch(stage ->
                                stage.exitCode() == null && isHidden(stage.usage()) && isHidden(stage.reason()));
    }

    private static boolean isHidden(@Nullable Reason reason) {
        return reason == null
                || reason.message().equals(HIDDEN)
                || reason.code().equals(Charges.NOTHING_DELIVERED);
    }

    private static boolean isHidden(Usage usage) {
        boolean hasFigures = Stream.of(
                        usage.cpuSeconds(), usage.peakMemoryBytes(), usage.wallSeconds(), usage.outputBytes())
                .anyMatch(figure -> figure != null);
        boolean isEmpty = usage.limits().isEmpty() && usage.unavailable().isEmpty();
        return !hasFigures && (isEmpty || usage.unavailable().equals(HIDDEN_FIGURES));
    }

    private static @Nullable String codeOf(@Nullable Reason reason) {
        return reason == null ? null : reason.code();
    }

    private static InsituException invalid(String detail) {
        return new InsituException(ErrorCode.ReceiptInvalid, detail);
    }
}
