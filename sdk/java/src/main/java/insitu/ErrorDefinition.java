package insitu;

import insitu.json.Json;
import insitu.json.JsonBoolean;
import insitu.json.JsonNumber;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A row of the error table.
 *
 * @param code stable: its meaning never changes
 * @param kind the class of the error: what kind of repair it needs
 * @param status HTTP status
 * @param what what the code means
 * @param nextStep what the person who meets it should do next
 * @param retry whether the same call may work later
 */
public record ErrorDefinition(String code, String kind, int status, String what, String nextStep, boolean retry) {
    private static final String TABLE = "errors.json";

    /** Returns every row by its code. */
    public static Map<String, ErrorDefinition> all() {
        return Table.ROWS;
    }

    /** Returns the row of a code; what this release does not know is a failure without a next step. */
    public static ErrorDefinition of(String code) {
        ErrorDefinition found = Table.ROWS.get(code);
        return found != null ? found : new ErrorDefinition(code, "Failure", 500, "", "", false);
    }

    // Read when the first error is made.
    private static final class Table {
        private static final Map<String, ErrorDefinition> ROWS = read();

        private static Map<String, ErrorDefinition> read() {
            Map<String, ErrorDefinition> rows = new LinkedHashMap<>();
            try (InputStream table = ErrorDefinition.class.getResourceAsStream(TABLE)) {
                JsonObject json = (JsonObject)
                        Json.read(Objects.requireNonNull(table, TABLE).readAllBytes());
                json.members().forEach((code, row) -> rows.put(code, define(code, (JsonObject) row)));
            } catch (IOException cause) {
                throw new UncheckedIOException(cause);
            }
            return Collections.unmodifiableMap(rows);
        }

        private static ErrorDefinition define(String code, JsonObject row) {
            return new ErrorDefinition(
                    code,
                    text(row.get("kind")),
                    row.get("status") instanceof JsonNumber number ? (int) number.value() : 0,
                    text(row.get("what")),
                    text(row.get("nextStep")),
                    row.get("retry") instanceof JsonBoolean flag && flag.value());
        }

        private static String text(@Nullable JsonValue value) {
            return value instanceof JsonString text ? text.value() : "";
        }
    }
}
