package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.json.Json;
import insitu.json.JsonValue;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What another version of a bought workflow, and an execution of it, may change. */
public final class Revisions {
    private static final int MAX_PARAMETER_BYTES = 4096;

    private Revisions() {}

    /**
     * Refuses another version of a bought workflow that would use something else than what was bought (ADR 0124): the data
     * sets in another order, other inputs of a stage, or another server.
     *
     * @param services the bought services of all inputs, in the workflow's order
     * @throws InsituException {@code RevisionChangesPurchase} with a pointer into the document's {@code main};
     *     {@code NoSuitableServer}
     */
    public static void requireSamePurchase(Workflow bought, Workflow revised, List<ComputeService> services) {
        Map<Long, Workflow.Stage> missing = new TreeMap<>();
        bought.stages().forEach(stage -> missing.put(stage.number(), stage));
        for (int position = 0; position < revised.stages().size(); position++) {
            Workflow.Stage stage = revised.stages().get(position);
            Workflow.Stage was = missing.remove(stage.number());
            String pointer = "/workflow/stages/" + position;
            if (was == null) {
                throw refusal("stage " + stage.number() + " was not bought", pointer);
            }
            if (!reads(stage).equals(reads(was))) {
                String detail = "stage " + stage.number() + " reads something else than the bought version";
                throw refusal(detail, pointer + "/input");
            }
        }
        for (Long number : missing.keySet()) {
            throw refusal("stage " + number + " is missing", "/workflow/stages");
        }
        if (!revised.inputDids().equals(bought.inputDids())) {
            throw refusal("the data sets are read in another order", "/workflow/stages");
        }
        String wanted =
                String.valueOf(ExpectedCost.chooseServer(revised, services).serverId());
        String paid = String.valueOf(ExpectedCost.chooseServer(bought, services).serverId());
        if (!wanted.equals(paid)) {
            throw refusal("it needs the server " + wanted + ", and " + paid + " was bought", "/workflow/stages");
        }
    }

    // Absent and 0 are the same index.
    private static List<Workflow.Input> reads(Workflow.Stage stage) {
        return stage.orderedInputs().stream()
                .map(input -> new Workflow.Input(input.number(), input.id(), input.previousStage()))
                .toList();
    }

    /**
     * Refuses parameters that a data owner does not allow or that cannot be passed to the algorithm.
     *
     * @param given index of a stage as text, name, value
     * @param allowed names that the owners of all inputs allow
     * @throws InsituException {@code InvalidRequest} with a pointer into the request; {@code ParameterNotAllowed}
     */
    public static void requireParameters(
            Workflow workflow, Map<String, Map<String, JsonValue>> given, List<String> allowed) {
        List<String> stages = workflow.stages().stream()
                .map(stage -> Long.toString(stage.number()))
                .toList();
        given.forEach((stage, values) -> {
            if (!stages.contains(stage)) {
                throw invalid("the workflow has no stage " + Ids.shown(stage), "/parameters");
            }
            values.forEach((name, value) -> requireParameter(name, value, "/parameters/" + stage, allowed));
        });
        if (Json.canonical(Json.of(given)).length > MAX_PARAMETER_BYTES) {
            throw invalid("the parameters are longer than " + MAX_PARAMETER_BYTES + " bytes", "/parameters");
        }
    }

    private static void requireParameter(String name, JsonValue value, String pointer, List<String> allowed) {
        Algorithm.configurationProblem(name, value).ifPresent(problem -> {
            throw invalid(problem, pointer);
        });
        if (!allowed.contains(name)) {
            String names =
                    allowed.isEmpty() ? "none" : new TreeSet<>(allowed).stream().collect(Collectors.joining(", "));
            String detail = "an execution may not set " + name + "; the owners of the data allow: " + names;
            throw new InsituException(ErrorCode.ParameterNotAllowed, detail, pointer + "/" + name);
        }
    }

    private static InsituException refusal(String detail, String pointer) {
        return new InsituException(ErrorCode.RevisionChangesPurchase, detail, pointer);
    }

    private static InsituException invalid(String detail, String pointer) {
        return new InsituException(ErrorCode.InvalidRequest, detail, pointer);
    }
}
