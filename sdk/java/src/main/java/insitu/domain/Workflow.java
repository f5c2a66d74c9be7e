package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.Violation;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.JsonArray;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code main.workflow}: stages in ascending index, each with inputs, one algorithm, and what it needs.
 *
 * @param stages in the order of the document
 */
public record Workflow(List<Stage> stages) {
    /** The most stages of a workflow, and the most inputs of a stage. */
    public static final int MOST_STAGES = 100;

    /**
     * One stage.
     *
     * @param index where it runs; null in some old documents
     * @param stageType in its author's words
     * @param requirements what it needs
     * @param input in the order of the document
     * @param transformation the DID of its algorithm
     * @param checksum the version that the algorithm is pinned to; null for the current one
     * @param output a DID for its output, which no document may have
     * @param configuration what its algorithm is told
     */
    public record Stage(
            @Nullable Long index,
            String stageType,
            Requirements requirements,
            List<Input> input,
            @Nullable String transformation,
            @Nullable String checksum,
            @Nullable String output,
            JsonObject configuration) {
        /** Returns its index; 0 if an old document has none. */
        public long number() {
            return index == null ? 0 : index;
        }

        /** Returns its inputs in the order of their volumes. */
        public List<Input> orderedInputs() {
            return input.stream().sorted(Comparator.comparing(Input::number)).toList();
        }
    }

    /** One input of a stage: the DID of a data set, or the output of an earlier stage. */
    public record Input(
            @Nullable Long index,
            @Nullable String id,
            @Nullable Long previousStage) {
        /** Returns its index; 0 if an old document has none. */
        public long number() {
            return index == null ? 0 : index;
        }
    }

    /** What a stage needs; quantities are texts such as {@code 8gb}. */
    public record Requirements(
            @Nullable Long serverInstances,
            @Nullable String serverId,
            @Nullable Container container,
            @Nullable String cpu,
            @Nullable String gpu,
            @Nullable String memory,
            @Nullable String disk) {}

    /** Reads a workflow. Throws {@code TooManyStages}, or {@code InvalidDocument} with a pointer. */
    public static Workflow read(JsonValue json) {
        return read(Place.of(json));
    }

    /**
     * Returns the workflow of an asset of type workflow.
     *
     * @throws InsituException {@code TooManyStages}, or {@code InvalidDocument} with a pointer
     */
    public static Workflow of(Ddo ddo) {
        JsonValue described = ddo.main().get("workflow");
        if (described == null || described == JsonNull.NULL) {
            throw new InsituException(ErrorCode.InvalidDocument, ddo.id() + " is not a workflow", "/service");
        }
        long position = ddo.services().stream()
                .takeWhile(service -> !"metadata".equals(service.type()))
                .count();
        return read(new Place(described, "/service/" + position + "/attributes/main/workflow", false, null));
    }

    private static Workflow read(Place at) {
        if (at.value() instanceof JsonObject json
                && json.get("stages") instanceof JsonArray stages
                && (stages.items().size() > MOST_STAGES
                        || stages.items().stream().anyMatch(Workflow::hasTooMany))) {
            String detail = "at most " + MOST_STAGES + " stages, each with " + MOST_STAGES + " inputs";
            throw new InsituException(ErrorCode.TooManyStages, detail);
        }
        return readAny(at);
    }

    private static boolean hasTooMany(JsonValue stage) {
        return stage instanceof JsonObject json
                && json.get("input") instanceof JsonArray inputs
                && inputs.items().size() > MOST_STAGES;
    }

    /**
     * Reads a workflow of any length as far as it can be read.
     *
     * @param pointer where it is in its document
     * @param refused gets everything that cannot be read; then nobody may use the answer
     * @throws InsituException {@code InvalidDocument} if it is no object
     */
    public static Workflow read(JsonValue json, String pointer, List<Violation> refused) {
        return readAny(new Place(json, pointer, false, refused));
    }

    private static Workflow readAny(Place at) {
        return new Workflow(at.at("stages").orElse(List.of(), list -> list.list(Workflow::stage)));
    }

    private static Stage stage(Place at) {
        Long index = at.at("index").optional(Place::index);
        String stageType = at.at("stageType").orElse("", Place::text);
        Requirements requirements = at.at("requirements").orEmpty(Workflow::requirements);
        List<Input> input = at.at("input").orElse(List.of(), list -> list.list(Workflow::input));
        Reference transformation = at.at("transformation").orEmpty(Reference::read);
        Reference output = at.at("output").orEmpty(one -> {
            one.at("metadata").optional(Place::object);
            return new Reference(one.at("id").optional(Place::text), null);
        });
        JsonObject configuration = at.at("configuration").orElse(JsonObject.EMPTY, Place::object);
        return new Stage(
                index,
                stageType,
                requirements,
                input,
                transformation.id,
                transformation.checksum,
                output.id,
                configuration);
    }

    private record Reference(@Nullable String id, @Nullable String checksum) {
        static Reference read(Place at) {
            return new Reference(
                    at.at("id").optional(Place::text), at.at("checksum").optional(Place::text));
        }
    }

    private static Requirements requirements(Place at) {
        return new Requirements(
                at.at("serverInstances").optional(Place::integer),
                at.at("serverId").optional(Place::text),
                at.at("container").optional(Container::read),
                at.at("cpu").optional(Place::quantity),
                at.at("gpu").optional(Place::quantity),
                at.at("memory").optional(Place::quantity),
                at.at("disk").optional(Place::quantity));
    }

    private static Input input(Place at) {
        return new Input(
                at.at("index").optional(Place::index),
                at.at("id").optional(Place::text),
                at.at(at.at("previousStage").isAbsent() ? "previousIndexStage" : "previousStage")
                        .optional(Place::index));
    }

    /** Returns the stages in the order in which they run. */
    public List<Stage> orderedStages() {
        return stages.stream().sorted(Comparator.comparing(Stage::number)).toList();
    }

    /** Returns the data sets that it reads, each once, in the order of stages and inputs. */
    public List<String> inputDids() {
        return orderedStages().stream()
                .flatMap(stage -> stage.orderedInputs().stream())
                .map(Input::id)
                .filter(Objects::nonNull)
                .distinct()
                .toList();
    }

    /** Returns the algorithms that it runs, each with the version that it is pinned to, or nothing for the current. */
    public Map<String, Optional<String>> transformations() {
        Map<String, Optional<String>> found = new LinkedHashMap<>();
        for (Stage stage : orderedStages()) {
            if (stage.transformation() != null) {
                found.put(stage.transformation(), Bytes.sha256Of(stage.checksum()));
            }
        }
        return found;
    }
}
