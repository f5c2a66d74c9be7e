package insitu.rules;

import insitu.internal.Place;
import insitu.internal.Tables;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Media types of files by their suffix: one fixed table, so that a file has the same type on every machine. */
public final class MediaTypes {
    /** What stands for an unknown type. */
    public static final String UNKNOWN = "application/octet-stream";

    private MediaTypes() {}

    /** Returns the media type of a file by the last suffix of its name or path. */
    public static String mediaType(String path) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        int point = name.lastIndexOf('.');
        return point > 0 ? Table.TYPES.getOrDefault(name.substring(point).toLowerCase(Locale.ROOT), UNKNOWN) : UNKNOWN;
    }

    // Read when the first file is judged.
    private static final class Table {
        private static final Map<String, String> TYPES = read();

        private static Map<String, String> read() {
            Map<String, String> types = new HashMap<>();
            Tables.read(MediaTypes.class, "media-types.json").map(Place::text).forEach((type, suffixes) -> {
                for (String suffix : suffixes.split(" ")) {
                    types.put(suffix, type);
                }
            });
            return types;
        }
    }
}
