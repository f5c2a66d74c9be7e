package insitu.json;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An object. Reading and writing loses no member.
 *
 * @param members in the order in which they were read
 */
public record JsonObject(Map<String, JsonValue> members) implements JsonValue {
    /** An object without members. */
    public static final JsonObject EMPTY = new JsonObject(Map.of());

    public JsonObject {
        members.keySet().forEach(JsonString::new);
        members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
    }

    /** Returns a member, or null if there is none. A member that is null in the document is {@link JsonNull}. */
    public @Nullable JsonValue get(String name) {
        return members.get(name);
    }

    /** Returns a copy without some members. */
    public JsonObject without(Set<String> names) {
        Map<String, JsonValue> kept = new LinkedHashMap<>(members);
        kept.keySet().removeAll(names);
        return new JsonObject(kept);
    }

    /** Returns a copy with a member added or replaced. */
    public JsonObject with(String name, JsonValue value) {
        Map<String, JsonValue> changed = new LinkedHashMap<>(members);
        changed.put(name, value);
        return new JsonObject(changed);
    }

    /** Returns a copy with the members of another object added or replaced. */
    public JsonObject with(JsonObject others) {
        Map<String, JsonValue> changed = new LinkedHashMap<>(members);
        changed.putAll(others.members);
        return new JsonObject(changed);
    }
}
