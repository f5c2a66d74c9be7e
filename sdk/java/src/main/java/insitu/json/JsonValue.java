package insitu.json;

/** A JSON value. It cannot change, and it holds only what every reader understands in the same way (RFC 7493, I-JSON). */
public sealed interface JsonValue permits JsonObject, JsonArray, JsonString, JsonNumber, JsonBoolean, JsonNull {}
