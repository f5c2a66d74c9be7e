package insitu.rules;

import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One stage of a workflow that is published.
 *
 * @param algorithm the DID of its algorithm
 * @param checksum the version that it runs: on-chain checksum, 64 hexadecimal digits
 * @param inputs in the order of {@code --input1}, {@code --input2} …
 * @param container {@code image}, {@code tag} and {@code checksum}
 * @param stageType free text such as Filtering, which is shown and recorded
 * @param configuration passed to the algorithm as {@code --name=value}
 * @param requirements the least that it needs: {@code serverId}, {@code cpu}, {@code gpu}, {@code memory}, {@code disk}
 * @param output description of the result, as for registering an asset
 */
public record WorkflowStage(
        String algorithm,
        String checksum,
        List<Source> inputs,
        JsonObject container,
        String stageType,
        JsonObject configuration,
        Map<String, String> requirements,
        JsonObject output) {

    /** Where an input comes from. */
    public sealed interface Source {}

    /** A data set. */
    public record DataSet(String did) implements Source {}

    /** The output of an earlier stage. */
    public record Previous(int stage) implements Source {}

    /** Returns a stage that needs nothing else and is told nothing. */
    public static WorkflowStage of(String algorithm, String checksum, List<Source> inputs, JsonObject container) {
        return new WorkflowStage(
                algorithm, checksum, inputs, container, "", JsonObject.EMPTY, Map.of(), JsonObject.EMPTY);
    }

    /** Returns {@code main.workflow} with these stages, in their order. */
    public static JsonObject describeStages(List<WorkflowStage> stages) {
        List<JsonObject> described = new ArrayList<>();
        for (WorkflowStage stage : stages) {
            described.add(stage.describe(described.size()));
        }
        return Json.objectOf(Map.of("stages", described));
    }

    private JsonObject describe(int index) {
        List<JsonValue> input = new ArrayList<>();
        for (Source source : inputs) {
            Map<String, Object> named = new LinkedHashMap<>(Map.of("index", input.size()));
            if (source instanceof Previous previous) {
                named.put("previousStage", previous.stage);
            } else if (source instanceof DataSet dataSet) {
                named.put("id", dataSet.did);
            }
            input.add(Json.of(named));
        }
        JsonObject needed = Json.objectOf(Map.of("serverInstances", 1, "container", container));
        JsonObject described = Json.objectOf(Map.of(
                "index",
                index,
                "stageType",
                stageType,
                "requirements",
                needed.with(Json.objectOf(requirements)),
                "input",
                input,
                "transformation",
                Map.of("id", algorithm, "checksum", checksum),
                "output",
                output.members().isEmpty() ? Map.of() : Map.of("metadata", output)));
        return configuration.members().isEmpty() ? described : described.with("configuration", configuration);
    }
}
