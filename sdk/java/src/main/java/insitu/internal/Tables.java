package insitu.internal;

import insitu.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;

/** Tables that scripts/java writes beside the classes that read them. */
public final class Tables {
    private Tables() {}

    /** Returns the table of this name in the package of a class. */
    public static Place read(Class<?> reader, String name) {
        try (InputStream table = reader.getResourceAsStream(name)) {
            return Place.of(Json.read(Objects.requireNonNull(table, name).readAllBytes()));
        } catch (IOException cause) {
            throw new UncheckedIOException(cause);
        }
    }
}
