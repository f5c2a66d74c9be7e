package insitu.json;

import java.util.List;

/**
 * A list of values.
 *
 * @param items in their order
 */
public record JsonArray(List<JsonValue> items) implements JsonValue {
    public JsonArray {
        items = List.copyOf(items);
    }
}
