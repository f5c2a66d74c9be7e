package insitu.rules;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Algorithm;
import insitu.domain.Container;
import insitu.domain.Did;
import insitu.domain.Units;
import insitu.domain.Workflow;
import insitu.internal.Bytes;
import insitu.json.JsonArray;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Rules of a workflow: what can be run. */
public final class WorkflowRules {
    private static final int LONGEST_STAGE_TYPE = 200;
    private static final int MOST_CONFIGURATION = 256;
    private static final int LONGEST_SHOWN = 80;
    private static final int LONGEST_LIST = 200;

    private WorkflowRules() {}

    /**
     * Reads a workflow, and refuses one that cannot be run.
     *
     * @param value {@code main.workflow}
     * @param pointer where it is in its document
     * @param isPlanned a stage may lack its algorithm's DID, because the algorithm is not published yet
     * @throws InsituException {@code InvalidDocument}, or the code of the one rule that is broken, with all problems
     */
    public static Workflow validateWorkflow(JsonValue value, String pointer, boolean isPlanned) {
        Checker checker = new Checker(pointer);
        Workflow workflow = checker.read(value, Workflow::read);
        if (workflow != null) {
            check(workflow, checker, isPlanned);
        }
        checker.throwIfAny();
        return Objects.requireNonNull(workflow);
    }

    /** Checks the workflow of an asset. */
    static void checkAsset(JsonValue described, Checker checker) {
        if (described instanceof JsonObject json
                && json.get("stages") instanceof JsonArray stages
                && stages.items().size() > Workflow.MOST_STAGES) {
            checker.at("stages").report(ErrorCode.TooManyStages, "at most " + Workflow.MOST_STAGES + " stages");
            return; // without reading thousands of them
        }
        Workflow workflow = checker.read(described, Workflow::read);
        if (workflow != null) {
            check(workflow, checker, false);
        }
    }

    private static void check(Workflow workflow, Checker checker, boolean isPlanned) {
        List<Workflow.Stage> stages = workflow.stages();
        Checker at = checker.at("stages");
        if (!at.require(!stages.isEmpty(), "Required", "a workflow needs a stage")) {
            return;
        }
        String most = "at most " + Workflow.MOST_STAGES;
        if (!at.require(stages.size() <= Workflow.MOST_STAGES, ErrorCode.TooManyStages, most + " stages")) {
            return;
        }
        List<@Nullable Long> indices = new ArrayList<>();
        stages.forEach(stage -> indices.add(stage.index()));
        Map<String, Optional<String>> versions = workflow.transformations();
        for (int position = 0; position < stages.size(); position++) {
            Workflow.Stage stage = stages.get(position);
            Checker here = at.at(position);
            checkIndex(stage.index(), indices.subList(0, position), here.at("index"));
            Optional<String> pinned = Bytes.sha256Of(stage.checksum());
            Optional<String> version = versions.getOrDefault(
                    stage.transformation() == null ? "" : stage.transformation(), Optional.empty());
            here.at("transformation", "checksum")
                    .require(
                            version.equals(pinned),
                            "Contradiction",
                            "all stages of a workflow run the same version of an algorithm");
            checkStage(stage, indices, here, isPlanned);
        }
        List<String> servers = workflow.orderedStages().stream()
                .map(stage -> stage.requirements().serverId())
                .filter(Objects::nonNull)
                .distinct()
                .toList();
        at.require(
                servers.size() <= 1,
                ErrorCode.ServerAmbiguous,
                Checker.beginning("the stages name the servers " + String.join(", ", servers), LONGEST_LIST));
        at.require(!workflow.inputDids().isEmpty(), "Required", "a workflow reads at least one data set");
    }

    /** Checks that something has an index, and that nothing earlier has it. */
    static void checkIndex(@Nullable Long index, List<@Nullable Long> earlier, Checker checker) {
        if (checker.require(index != null, "Required", "an index is needed")) {
            checker.require(!earlier.contains(index), "Duplicate", "this index stands here twice");
        }
    }

    private static void checkStage(
            Workflow.Stage stage, List<@Nullable Long> indices, Checker checker, boolean isPlanned) {
        int length = stage.stageType().codePointCount(0, stage.stageType().length());
        checker.at("stageType").require(length <= LONGEST_STAGE_TYPE, "TooLong", "at most 200 characters");
        checkRequirements(stage.requirements(), checker.at("requirements"));
        checkInputs(stage, indices, checker.at("input"));
        boolean isKnown = stage.transformation() == null ? isPlanned : Did.isDid(stage.transformation());
        checker.at("transformation", "id")
                .require(isKnown, "InvalidDid", "the algorithm's DID is needed: did:nv: and 64 digits");
        boolean isPinned =
                stage.checksum() == null || Bytes.sha256Of(stage.checksum()).isPresent();
        checker.at("transformation", "checksum")
                .require(isPinned, "WrongFormat", "the on-chain checksum: 64 hex digits");
        checker.at("output", "id")
                .require(
                        stage.output() == null,
                        ErrorCode.OutputDidNotSupported,
                        "every result is a new asset; leave output.id out");
        checkConfiguration(stage.configuration().members(), checker.at("configuration"));
    }

    private static void checkInputs(Workflow.Stage stage, List<@Nullable Long> indices, Checker inputs) {
        List<Workflow.Input> input = stage.input();
        inputs.require(!input.isEmpty(), "Required", "a stage needs an input");
        String most = "at most " + Workflow.MOST_STAGES + " inputs";
        if (!inputs.require(input.size() <= Workflow.MOST_STAGES, ErrorCode.TooManyStages, most)) {
            return;
        }
        List<@Nullable Long> earlier = new ArrayList<>();
        for (Workflow.Input source : input) {
            Checker at = inputs.at(earlier.size());
            checkIndex(source.index(), earlier, at.at("index"));
            checkInput(source, stage.number(), indices, at);
            earlier.add(source.index());
        }
    }

    private static void checkInput(Workflow.Input source, long stage, List<@Nullable Long> indices, Checker checker) {
        Long previous = source.previousStage();
        boolean isOne = (source.id() == null) != (previous == null);
        checker.require(isOne, "Required", "an input has either an id or a previousStage");
        boolean isComplete = source.id() == null || Did.isDid(source.id());
        checker.at("id").require(isComplete, "InvalidDid", "did:nv: and 64 lower-case hex digits");
        boolean isEarlier = previous == null || (previous < stage && indices.contains(previous));
        String message = "stage " + stage + " reads stage " + previous + ", which does not run before it";
        checker.at("previousStage").require(isEarlier, ErrorCode.StageOrder, message);
    }

    private static void checkRequirements(Workflow.Requirements needed, Checker checker) {
        boolean isOne = needed.serverInstances() == null || needed.serverInstances() == 1;
        checker.at("serverInstances")
                .require(isOne, ErrorCode.ServerInstancesNotSupported, "a stage runs on one server instance");
        if (needed.container() == null) {
            checker.at("container").report("Required", "a stage names its container");
        } else {
            checkContainer(needed.container(), checker.at("container"));
        }
        checker.attempt(
                () -> parsed(needed.cpu(), Units::parseCores)
                        + parsed(needed.gpu(), Units::parseCount)
                        + parsed(needed.memory(), Units::parseBytes)
                        + parsed(needed.disk(), Units::parseBytes),
                ErrorCode.InvalidQuantity);
    }

    private static long parsed(@Nullable String quantity, ToLongFunction<String> parse) {
        return quantity == null ? 0 : parse.applyAsLong(quantity);
    }

    /** Checks that an image has a name and the digest of its manifest. */
    static void checkContainer(Container image, Checker checker) {
        checker.at("image").require(DocumentRules.hasText(image.image()), "Required", "the image needs a name");
        checker.at("checksum")
                .require(
                        image.digest().isPresent(),
                        "WrongFormat",
                        "sha256: and the 64 hex digits of the manifest's digest");
    }

    private static void checkConfiguration(Map<String, JsonValue> configuration, Checker checker) {
        boolean areFew = configuration.size() <= MOST_CONFIGURATION;
        if (checker.require(areFew, "TooMany", "at most " + MOST_CONFIGURATION + " members")) {
            configuration.forEach((name, value) -> checker.at(Checker.beginning(name, LONGEST_SHOWN))
                    .requireNone(Algorithm.configurationProblem(name, value), "WrongValue", ""));
        }
    }
}
