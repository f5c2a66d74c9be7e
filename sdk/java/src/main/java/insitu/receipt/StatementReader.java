package insitu.receipt;

import insitu.domain.InputVersion;
import insitu.domain.Terms;
import insitu.internal.Place;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Reads both forms of receipts: today's strictly, because every member is signed for a reason. */
final class StatementReader {
    private static final String FIRST = "urn:insitu:execution-receipt:v1";
    private static final String CURRENT = "urn:insitu:execution-receipt:v2";
    private static final String TYPE = "https://in-toto.io/Statement/v1";
    private static final long UINT32 = (1L << 32) - 1;
    private static final long UINT40 = (1L << 40) - 1;
    private static final Pattern BYTES32 = Pattern.compile("0x[0-9a-f]{64}");
    private static final Pattern ID = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern TIME = Pattern.compile(
            "\\d{4}-\\d\\d-\\d\\d[Tt ]\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?(?:[Zz]|[+-]\\d\\d:?\\d\\d)");

    private StatementReader() {}

    static Statement read(JsonValue json) {
        boolean isCurrent =
                json instanceof JsonObject object && new JsonString(CURRENT).equals(object.get("predicateType"));
        Place root = isCurrent ? Place.strictly(json) : Place.of(json);
        root.object("_type", "predicateType", "subject", "predicate");
        root.at("_type").orElse(TYPE, type -> type.oneOf(TYPE));
        return new Statement(
                root.at("predicateType").oneOf(isCurrent ? CURRENT : FIRST),
                root.at("subject").list(StatementReader::subject),
                predicate(root.at("predicate"), isCurrent));
    }

    private static Statement.Subject subject(Place at) {
        at.object("name", "digest");
        return new Statement.Subject(at.at("name").text(), at.at("digest").map(Place::text));
    }

    private static Statement.Predicate predicate(Place at, boolean isCurrent) {
        at.object(
                "workflowExecutionId",
                "number",
                "workflowDid",
                "workflowChecksum",
                "agreement",
                "stages",
                "policy",
                "phases",
                "outcome",
                "reason",
                "output",
                "charge",
                "software",
                "revisionOf",
                "bought",
                "parameters",
                "failures",
                "delivered",
                "approvals",
                "withheld",
                "notEnforced",
                "inspection",
                "decisions",
                "ledger");
        return new Statement.Predicate(
                at.at("workflowExecutionId").text(),
                at.at("number").integer(),
                at.at("workflowDid").text(),
                at.at("workflowChecksum").text(),
                agreement(at.at("agreement"), isCurrent),
                at.at("stages").list(StatementReader::stage),
                policy(at.at("policy")),
                at.at("phases").list(StatementReader::phase),
                at.at("outcome").oneOf("Succeeded", "Failed", "Stopped"),
                at.at("reason").optional(StatementReader::reason),
                at.at("output").optional(StatementReader::output),
                charge(at.at("charge")),
                software(at.at("software")),
                isCurrent ? more(at) : null);
    }

    private static Statement.More more(Place at) {
        for (String reserved : List.of("inspection", "decisions", "ledger")) {
            if (at.at(reserved).optional(Place::value) != null) {
                throw at.at(reserved).refusal("nothing is allowed here yet");
            }
        }
        return new Statement.More(
                at.at("revisionOf").optional(Place::text),
                at.at("bought").list(StatementReader::bought),
                at.at("parameters").orElse(Map.of(), stages -> stages.map(names -> names.map(Place::scalar))),
                at.at("failures").orElse("charged", failures -> failures.oneOf("charged", "free")),
                delivered(at.at("delivered")),
                at.at("approvals").orElse(List.of(), approvals -> approvals.list(StatementReader::approval)),
                at.at("withheld").optional(Place::text),
                at.at("notEnforced").orElse(List.of(), limits -> limits.list(Place::text)));
    }

    private static InputVersion bought(Place at) {
        at.object("did", "checksum");
        return new InputVersion(at.at("did").text(), at.at("checksum").text());
    }

    private static Statement.Delivered delivered(Place at) {
        at.object("files", "bytes", "logBytes", "logLines");
        return new Statement.Delivered(
                at.at("files").count(),
                at.at("bytes").count(),
                at.at("logBytes").count(),
                at.at("logLines").optional(Place::count));
    }

    private static Statement.Approval approval(Place at) {
        at.object("did", "owner", "digest", "expiresAt");
        return new Statement.Approval(
                at.at("did").text(), at.at("owner").text(), at.at("digest").text(), time(at.at("expiresAt")));
    }

    private static Statement.Agreement agreement(Place at, boolean isCurrent) {
        at.object("serviceAgreementId", "chainId", "contract", "terms");
        return new Statement.Agreement(
                at.at("serviceAgreementId").matching(ID, "64 lower-case hexadecimal digits"),
                at.at("chainId").count(),
                at.at("contract").address(),
                terms(at.at("terms"), isCurrent ? "inputsHash" : "ddoHash"));
    }

    private static Terms terms(Place at, String versions) {
        at.object(
                "seed",
                "did",
                versions,
                "workflowId",
                "workflowHash",
                "consumer",
                "provider",
                "serviceIndex",
                "deadline",
                "grantTimeout",
                "timeout",
                "settleTimeout",
                "amounts",
                "receivers");
        return new Terms(
                bytes32(at.at("seed")),
                bytes32(at.at("did")),
                bytes32(at.at(versions)),
                bytes32(at.at("workflowId")),
                bytes32(at.at("workflowHash")),
                at.at("consumer").address(),
                at.at("provider").address(),
                at.at("serviceIndex").integer(0, UINT32),
                at.at("deadline").integer(0, UINT40),
                at.at("grantTimeout").integer(0, UINT32),
                at.at("timeout").integer(0, UINT32),
                at.at("settleTimeout").integer(0, UINT32),
                at.at("amounts").orElse(List.of(), amounts -> amounts.list(Place::amount)),
                at.at("receivers").orElse(List.of(), accounts -> accounts.list(Place::address)));
    }

    private static Statement.Stage stage(Place at) {
        at.object(
                "index",
                "stageType",
                "image",
                "algorithm",
                "parameters",
                "inputs",
                "attempt",
                "startedAt",
                "endedAt",
                "exitCode",
                "usage",
                "reason");
        return new Statement.Stage(
                at.at("index").integer(),
                at.at("stageType").text(),
                image(at.at("image")),
                algorithm(at.at("algorithm")),
                at.at("parameters").map(Place::scalar),
                at.at("inputs").list(StatementReader::input),
                at.at("attempt").integer(),
                at.at("startedAt").optional(StatementReader::time),
                at.at("endedAt").optional(StatementReader::time),
                at.at("exitCode").optional(Place::integer),
                at.at("usage").orElse(Statement.Usage.NONE, StatementReader::usage),
                at.at("reason").optional(StatementReader::reason));
    }

    private static Statement.Image image(Place at) {
        at.object("image", "tag", "digest", "indexDigest");
        return new Statement.Image(
                at.at("image").text(),
                at.at("tag").text(),
                at.at("digest").text(),
                at.at("indexDigest").optional(Place::text));
    }

    private static Statement.Algorithm algorithm(Place at) {
        at.object("did", "checksum", "files");
        return new Statement.Algorithm(
                at.at("did").text(), at.at("checksum").text(), at.at("files").map(Place::text));
    }

    private static Statement.Input input(Place at) {
        at.object("index", "position", "did", "checksum", "root", "previousStage");
        return new Statement.Input(
                at.at("index").integer(),
                at.at("position").integer(),
                at.at("did").optional(Place::text),
                at.at("checksum").optional(Place::text),
                at.at("root").optional(Place::text),
                at.at("previousStage").optional(Place::integer));
    }

    static Statement.Usage usage(Place at) {
        at.object("cpuSeconds", "peakMemoryBytes", "wallSeconds", "outputBytes", "limits", "unavailable");
        return new Statement.Usage(
                at.at("cpuSeconds").optional(Place::decimal),
                at.at("peakMemoryBytes").optional(Place::integer),
                at.at("wallSeconds").optional(Place::decimal),
                at.at("outputBytes").optional(Place::integer),
                at.at("limits").orElse(Map.of(), limits -> limits.map(Place::text)),
                at.at("unavailable").orElse(Map.of(), reasons -> reasons.map(Place::text)));
    }

    static Statement.Reason reason(Place at) {
        at.object("code", "message");
        return new Statement.Reason(at.at("code").text(), at.at("message").text());
    }

    private static Statement.Policy policy(Place at) {
        at.object("verdict", "checksums", "output");
        Place verdict = at.at("verdict").object("allowed", "reasons");
        verdict.at("allowed").scalar();
        return new Statement.Policy(
                verdict.at("reasons").orElse(List.of(), reasons -> reasons.list(StatementReader::finding)),
                at.at("checksums").map(Place::text),
                outputRules(at.at("output")));
    }

    private static Statement.Finding finding(Place at) {
        at.object("code", "did", "message");
        return new Statement.Finding(
                at.at("code").text(), at.at("did").text(), at.at("message").text());
    }

    private static Statement.OutputRules outputRules(Place at) {
        at.object("maxBytes", "maxFiles", "maxLogBytes", "types", "logs", "review");
        return new Statement.OutputRules(
                at.at("maxBytes").integer(),
                at.at("maxFiles").integer(),
                at.at("maxLogBytes").optional(Place::integer),
                at.at("types").optional(types -> types.list(Place::text)),
                at.at("logs").orElse("live", logs -> logs.oneOf("live", "after_review", "none")),
                at.at("review").orElse("none", review -> review.oneOf("none", "manual")));
    }

    private static Statement.Phase phase(Place at) {
        at.object("phase", "at");
        String phase = at.at("phase")
                .oneOf(
                        "Registered",
                        "Configuring",
                        "Executing",
                        "Reviewing",
                        "Publishing",
                        "Succeeded",
                        "Failed",
                        "Stopped");
        return new Statement.Phase(phase, time(at.at("at")));
    }

    private static Statement.Output output(Place at) {
        at.object("root", "files", "bytes", "publishedStages", "resultDid");
        return new Statement.Output(
                at.at("root").text(),
                at.at("files").integer(),
                at.at("bytes").integer(),
                at.at("publishedStages").list(Place::integer),
                at.at("resultDid").text());
    }

    private static Statement.Charge charge(Place at) {
        at.object("rule", "amount");
        return new Statement.Charge(
                at.at("rule").oneOf("full", "ifNoneSucceeds", "never"),
                at.at("amount").amount());
    }

    private static Statement.Software software(Place at) {
        at.object("name", "version", "runtime", "enforcement");
        return new Statement.Software(
                at.at("name").orElse("insitu", Place::text),
                at.at("version").text(),
                at.at("runtime").orElse("", Place::text),
                at.at("enforcement").orElse(Map.of(), limits -> limits.map(Place::text)));
    }

    private static String bytes32(Place at) {
        return at.matching(BYTES32, "0x and 64 lower-case hexadecimal digits");
    }

    private static String time(Place at) {
        return at.matching(TIME, "a time with its zone");
    }
}
