package insitu.rules;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.AgreementTemplate;
import insitu.domain.Money;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonArray;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An asset as its publisher describes it.
 *
 * @param attributes of the metadata service
 * @param main of the metadata service
 * @param files that it lists, each with an index
 * @param services the other services
 */
public record Description(JsonObject attributes, JsonObject main, List<JsonObject> files, List<JsonObject> services) {
    private static final Set<String> ATTRIBUTES = Set.of("main", "additionalInformation", "curation", "encryptedFiles");
    private static final Map<String, Long> DEFAULT_INDICES =
            Map.of("metadata", 0L, "provenance", 1L, "authorization", 2L, "access", 3L, "compute", 4L);
    private static final long FIRST_FREE_INDEX = 5;
    private static final int DEFAULT_TIMEOUT = 86_400;

    /**
     * Where an asset is published.
     *
     * @param metadataAddress url of a document in the catalogue; <code>{did}</code> in it stands for the DID
     * @param gatewayUrl of the gateway that computes
     * @param contract the ServiceExecutionTemplate
     * @param chainId of the contract's chain
     */
    public record Surroundings(String metadataAddress, String gatewayUrl, Address contract, long chainId) {}

    /**
     * Reads a description.
     *
     * @param assetMetadata either {@code main} and {@code additionalInformation}, or {@code main} alone
     * @param services the other services; what is missing is filled in
     * @throws InsituException {@code InvalidDocument} for the sealed list of another document, and for a {@code main} that
     *     is no object
     */
    public static Description read(JsonObject assetMetadata, List<JsonObject> services) {
        Set<String> names = assetMetadata.members().keySet();
        boolean isWhole =
                assetMetadata.get("main") instanceof JsonObject || (!names.isEmpty() && ATTRIBUTES.containsAll(names));
        JsonObject attributes = isWhole ? assetMetadata : JsonObject.EMPTY.with("main", assetMetadata);
        if (attributes.get("encryptedFiles") != null) {
            String detail =
                    "a sealed list opens only in the document it was sealed for; name the files with URLs instead";
            throw new InsituException(ErrorCode.InvalidDocument, detail, "/encryptedFiles");
        }
        JsonObject main = Place.of(attributes).at("main").optional(Place::object);
        JsonObject given = main == null ? JsonObject.EMPTY : main;
        List<JsonObject> files = new ArrayList<>();
        if (given.get("files") instanceof JsonArray listed) {
            for (JsonValue file : listed.items()) {
                if (file instanceof JsonObject object) {
                    files.add(JsonObject.EMPTY
                            .with("index", Json.of(files.size()))
                            .with(object));
                }
            }
        }
        JsonObject complete = JsonObject.EMPTY
                .with("additionalInformation", JsonObject.EMPTY)
                .with(attributes)
                .with("main", given);
        return new Description(complete, given, List.copyOf(files), List.copyOf(services));
    }

    /** Returns attributes of a metadata service, with what is said about an asset if there is any. */
    public static JsonObject attributesOf(
            JsonObject main, String description, List<String> tags, List<String> categories) {
        JsonObject additional = JsonObject.EMPTY;
        if (!description.isEmpty()) {
            additional = additional.with("description", Json.of(description));
        }
        if (!tags.isEmpty()) {
            additional = additional.with("tags", Json.of(tags));
        }
        if (!categories.isEmpty()) {
            additional = additional.with("categories", Json.of(categories));
        }
        return JsonObject.EMPTY.with("main", main).with("additionalInformation", additional);
    }

    /** Returns whether its files have urls, so that they have to be sealed. */
    public boolean namesUrls() {
        return files.stream().anyMatch(file -> file.get("url") != null);
    }

    /** Returns the files in the form that may be public: of those with urls neither url nor name. */
    public List<JsonObject> publicFiles() {
        return namesUrls()
                ? files.stream()
                        .map(file -> file.without(Set.of("url", "name")))
                        .toList()
                : files;
    }

    /**
     * Returns the entries of {@code service[]}. Given members stay, and missing ones are filled in.
     *
     * @param listed the list of files in the form that may be public
     * @param creator who publishes
     * @param created the current time, such as {@code 2026-01-02T03:04:05Z}
     * @throws InsituException {@code InvalidDocument}, {@code InvalidAmount}
     */
    public List<JsonObject> completeServices(
            List<JsonObject> listed, Surroundings surroundings, Address creator, String created) {
        JsonObject complete = assetDefaults(created).with(main).with("files", Json.of(listed));
        List<JsonObject> entries = new ArrayList<>();
        entries.add(Json.objectOf(Map.of("index", 0, "type", "metadata"))
                .with("serviceEndpoint", Json.of(surroundings.metadataAddress))
                .with("attributes", attributes.with("main", complete)));
        Set<Long> taken = new HashSet<>(Set.of(0L));
        for (JsonObject given : services) {
            JsonObject entry = given.without(Set.of("serviceDefinitionId"));
            String named =
                    given.get("index") == null || given.get("index") == JsonNull.NULL ? "serviceDefinitionId" : "index";
            Long stated = Place.of(given).at(named).optional(Place::index);
            long index = stated == null ? freeIndex(entry.get("type"), taken) : stated;
            taken.add(index);
            JsonObject numbered = entry.with("index", Json.of(index));
            entries.add(
                    new JsonString("compute").equals(entry.get("type"))
                            ? completeCompute(numbered, surroundings, creator, created)
                            : numbered);
        }
        return List.copyOf(entries);
    }

    private static JsonObject assetDefaults(String created) {
        return Json.objectOf(Map.of(
                "type", "dataset",
                "dateCreated", created,
                "datePublished", created,
                "author", "",
                "license", "No License Specified",
                "price", "0"));
    }

    private static JsonObject completeCompute(
            JsonObject entry, Surroundings surroundings, Address creator, String created) {
        JsonObject attributes = objectOf(entry.get("attributes"));
        JsonObject main = Json.objectOf(Map.of(
                        "name",
                        "dataAssetComputeServiceAgreement",
                        "creator",
                        creator.text(),
                        "datePublished",
                        created,
                        "price",
                        "0",
                        "timeout",
                        DEFAULT_TIMEOUT))
                .with(objectOf(attributes.get("main")));
        String template = "serviceAgreementTemplate";
        if (main.get(template) == null && attributes.get(template) == null) {
            main = main.with(
                    template,
                    AgreementTemplate.written(
                            surroundings.contract, surroundings.chainId, Money.parseAmount(main.get("price"))));
        }
        return JsonObject.EMPTY
                .with("serviceEndpoint", Json.of(surroundings.gatewayUrl + "/api/v1/gateway/services/exec"))
                .with("templateId", Json.of(surroundings.contract.text()))
                .with(entry)
                .with("attributes", attributes.with("main", main));
    }

    private static JsonObject objectOf(@Nullable JsonValue value) {
        return value instanceof JsonObject object ? object : JsonObject.EMPTY;
    }

    private static long freeIndex(@Nullable JsonValue type, Set<Long> taken) {
        String name = type instanceof JsonString text ? text.value() : "";
        long free = DEFAULT_INDICES.getOrDefault(name, FIRST_FREE_INDEX);
        while (taken.contains(free)) {
            free++;
        }
        return free;
    }
}
