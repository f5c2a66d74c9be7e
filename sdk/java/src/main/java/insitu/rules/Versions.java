package insitu.rules;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Ddo;
import insitu.json.JsonArray;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a new version of a document may change, and what it does change. */
public final class Versions {
    private static final String TEMPLATE = "serviceAgreementTemplate";

    private Versions() {}

    /**
     * One member of a service that a version changes.
     *
     * @param service type of the service, such as {@code compute}
     * @param path names of the member and of what it is in, such as {@code policy.output.maxBytes}; a list is a member as a
     *     whole
     * @param before null if it was not there
     * @param after null if it is not there
     */
    public record Change(
            String service,
            String path,
            @Nullable JsonValue before,
            @Nullable JsonValue after) {}

    /**
     * Refuses a version that changes more than a version may: every member of a {@code main} may change but its type; the
     * pairs of index and type stay; a service moves only to an approved template.
     *
     * @param before an earlier version of the same DID
     * @param templates addresses of approved templates
     * @throws InsituException {@code VersionNotAllowed} with a pointer
     */
    public static void requireAllowedChange(Ddo before, Ddo after, List<String> templates) {
        if (!keysOf(before).equals(keysOf(after))) {
            throw refusal("a version keeps the services " + keysOf(before), "/service");
        }
        Map<String, Ddo.Service> earlier = new LinkedHashMap<>();
        before.services().forEach(service -> earlier.put(keyOf(service), service));
        for (int position = 0; position < after.services().size(); position++) {
            Ddo.Service is = after.services().get(position);
            Ddo.Service was = Objects.requireNonNull(earlier.get(keyOf(is)));
            if (!Objects.equals(is.main().get("type"), was.main().get("type"))) {
                String pointer = "/service/" + position + "/attributes/main/type";
                throw refusal("the type is the same in every version", pointer);
            }
            String moved = is.templateId() == null ? "" : is.templateId();
            boolean stays = moved.equalsIgnoreCase(was.templateId() == null ? "" : was.templateId());
            if (!stays && templates.stream().noneMatch(moved::equalsIgnoreCase)) {
                String detail = "the template " + moved + " is not approved here";
                throw refusal(detail, "/service/" + position + "/templateId");
            }
        }
    }

    /** Refuses an origin in version 1, which would let it differ from what its DID derives from. */
    public static void requireNumber(Ddo ddo, long number) {
        if (number == 1 && ddo.proof() != null && ddo.proof().origin() != null) {
            throw refusal("version 1 is the origin and cannot have another one", "/proof/origin");
        }
    }

    private static String keyOf(Ddo.Service service) {
        return (service.index() == null ? -1 : service.index()) + " (" + (service.type() == null ? "" : service.type())
                + ")";
    }

    private static String keysOf(Ddo ddo) {
        return ddo.services().stream().map(Versions::keyOf).sorted().collect(Collectors.joining(", "));
    }

    private static InsituException refusal(String detail, String pointer) {
        return new InsituException(ErrorCode.VersionNotAllowed, detail, pointer);
    }

    /**
     * Returns each member of a service that two versions of a document have differently, in the order of the services.
     *
     * <p>A {@code serviceAgreementTemplate} is compared and given without its price, which is a member of its own, and it
     * is one member, as is {@code encryptedFiles}: few people want to read them.
     */
    public static List<Change> changesBetween(Ddo before, Ddo after) {
        List<Change> changes = new ArrayList<>();
        for (Ddo.Service service : after.services()) {
            Map<String, JsonValue> was = before.services().stream()
                    .filter(other -> Objects.equals(other.index(), service.index()))
                    .reduce((first, last) -> last)
                    .map(Versions::membersOf)
                    .orElse(Map.of());
            Map<String, JsonValue> is = membersOf(service);
            Set<String> paths = new LinkedHashSet<>(was.keySet());
            paths.addAll(is.keySet());
            for (String path : paths) {
                if (!Objects.equals(was.get(path), is.get(path))) {
                    String type = service.type() == null ? "" : service.type();
                    changes.add(new Change(type, path, was.get(path), is.get(path)));
                }
            }
        }
        return List.copyOf(changes);
    }

    private static Map<String, JsonValue> membersOf(Ddo.Service service) {
        Map<String, JsonValue> found = new LinkedHashMap<>();
        JsonObject attributes = service.attributes() == null ? JsonObject.EMPTY : service.attributes();
        JsonValue additional = attributes.get("additionalInformation");
        Map<String, @Nullable JsonValue> members =
                new LinkedHashMap<>(service.main().members());
        members.put("additionalInformation", additional == null ? attributes.get("additional") : additional);
        members.put("encryptedFiles", attributes.get("encryptedFiles"));
        members.put("serviceEndpoint", service.endpoint() == null ? null : new JsonString(service.endpoint()));
        members.put("templateId", service.templateId() == null ? null : new JsonString(service.templateId()));
        members.forEach((name, member) -> flatten(name, member, found));
        return found;
    }

    private static void flatten(String path, @Nullable JsonValue value, Map<String, JsonValue> found) {
        if (value == null || value == JsonNull.NULL) {
            return;
        }
        if (path.equals(TEMPLATE)) {
            found.put(path, withPrice(value, ""));
        } else if (value instanceof JsonObject object) {
            object.members().forEach((name, member) -> flatten(path + "." + name, member, found));
        } else {
            found.put(path, value);
        }
    }

    /** Returns a {@code serviceAgreementTemplate} with another price: the value of its parameter {@code _amount}. */
    public static JsonValue withPrice(JsonValue template, String price) {
        if (template instanceof JsonArray array) {
            return new JsonArray(
                    array.items().stream().map(part -> withPrice(part, price)).toList());
        }
        if (!(template instanceof JsonObject object)) {
            return template;
        }
        Map<String, JsonValue> changed = new LinkedHashMap<>();
        object.members().forEach((name, part) -> changed.put(name, withPrice(part, price)));
        if (new JsonString("_amount").equals(object.get("name"))) {
            changed.put("value", new JsonString(price));
        }
        return new JsonObject(changed);
    }
}
