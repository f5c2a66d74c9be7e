package insitu.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import insitu.InsituException;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonArray;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.function.Executable;

/** The facts that every implementation must reproduce: {@code tests/vectors} of this project. */
final class Vector {
    static final Path FOLDER = Path.of("..", "..", "tests", "vectors");

    private Vector() {}

    /** Returns a vector. Its kinds of cases are named, so that a new kind fails the tests until somebody tests it. */
    static Place read(String name, String... kinds) {
        Place root = Place.of(Json.read(bytes(name)));
        if (root.value() instanceof JsonObject object) {
            assertEquals(Set.of(kinds), object.members().keySet(), "kinds of cases in " + name);
        }
        return root;
    }

    static byte[] bytes(String name) {
        try {
            return Files.readAllBytes(FOLDER.resolve(name + ".json"));
        } catch (IOException cause) {
            throw new UncheckedIOException(cause);
        }
    }

    /** Returns the items of a list. */
    static List<Place> items(Place list) {
        return list.list(Function.identity());
    }

    /** Returns a test for each item of a list. */
    static Stream<DynamicTest> each(Place list, Function<Place, String> name, Consumer<Place> test) {
        return items(list).stream().map(one -> DynamicTest.dynamicTest(name.apply(one), () -> test.accept(one)));
    }

    /** Asserts that something is refused with a code. */
    static InsituException refuses(String code, Executable act) {
        InsituException refusal = assertThrows(InsituException.class, act);
        assertEquals(code, refusal.code(), refusal.getMessage());
        return refusal;
    }

    static boolean isNull(Place at) {
        return at.value() == null || at.value() == JsonNull.NULL;
    }

    /** Returns a document after a JSON patch (RFC 6902), in which a value may be {@code repeated}. */
    static JsonValue patched(JsonValue document, Place patch) {
        JsonValue changed = document;
        for (Place step : items(patch)) {
            String[] path = step.at("path").text().split("/", -1);
            Place times = step.at("repeated");
            JsonValue value = step.at("value").value();
            JsonValue put = value == null || times.isAbsent() ? value : repeated(value, (int) times.count());
            changed = put(changed, path, 1, step.at("op").text(), put);
        }
        return changed;
    }

    private static JsonValue put(JsonValue at, String[] path, int depth, String op, @Nullable JsonValue value) {
        String segment = path[depth].replace("~1", "/").replace("~0", "~");
        boolean isLast = depth == path.length - 1;
        if (at instanceof JsonObject object) {
            if (isLast && op.equals("remove")) {
                return object.without(Set.of(segment));
            }
            return object.with(
                    segment, isLast ? required(value) : put(required(object.get(segment)), path, depth + 1, op, value));
        }
        List<JsonValue> items = new ArrayList<>(((JsonArray) at).items());
        int index = segment.equals("-") ? items.size() : Integer.parseInt(segment);
        if (!isLast) {
            items.set(index, put(items.get(index), path, depth + 1, op, value));
        } else if (op.equals("remove")) {
            items.remove(index);
        } else if (op.equals("replace")) {
            items.set(index, required(value));
        } else {
            items.add(index, required(value));
        }
        return new JsonArray(items);
    }

    private static JsonValue required(@Nullable JsonValue value) {
        if (value == null) {
            throw new AssertionError("the patch leads nowhere");
        }
        return value;
    }

    private static JsonValue repeated(JsonValue value, int times) {
        if (value instanceof JsonString text) {
            return new JsonString(text.value().repeat(times));
        }
        List<JsonValue> items = new ArrayList<>();
        for (int time = 0; time < times; time++) {
            items.addAll(((JsonArray) value).items());
        }
        return new JsonArray(items);
    }
}
