package insitu.json;

/** The value {@code null}. */
public enum JsonNull implements JsonValue {
    /** The only one. */
    NULL
}
