package insitu.domain;

import insitu.json.JsonObject;
import insitu.json.JsonString;
import java.util.Map;

/** What owners, consumers and curators sign besides purchases. No contract has these domains, so none can be sent. */
public final class Requests {
    private Requests() {}

    /** The structs about access to a data set, by name (not asked for yet; the digests are fixed). */
    public static Map<String, String> approvals() {
        return Structs.APPROVALS;
    }

    /** The structs about a catalogue's lists, by name; at another catalogue they are worth nothing (ADR 0142). */
    public static Map<String, String> catalogues() {
        return Structs.CATALOGUES;
    }

    /**
     * Returns a statement about access to a data set.
     *
     * @param kind one of {@link #approvals}
     * @throws insitu.InsituException {@code InvalidDocument} if the members are not those of the struct
     */
    public static TypedData approval(String kind, JsonObject members, long chainId, Address registry) {
        return TypedData.of(
                SigningDomain.of("insitu approvals", chainId, registry), typeOf(approvals(), kind), members);
    }

    /**
     * Returns a request to a catalogue.
     *
     * @param kind one of {@link #catalogues}
     * @throws insitu.InsituException {@code InvalidDocument} if the members are not those of the struct
     */
    public static TypedData catalogue(String kind, JsonObject members, long chainId, Address registry) {
        return TypedData.of(
                SigningDomain.of("insitu catalogues", chainId, registry), typeOf(catalogues(), kind), members);
    }

    /** Returns whether strangers find an asset of which nobody signed anything: data sets, except results. */
    public static boolean isListedByDefault(JsonObject main) {
        return new JsonString("dataset").equals(main.get("type")) && main.get("compute") == null;
    }

    private static String typeOf(Map<String, String> structs, String kind) {
        String type = structs.get(kind);
        if (type == null) {
            throw new IllegalArgumentException(kind + " is not one of " + structs.keySet());
        }
        return type;
    }
}
