package insitu.domain;

import insitu.internal.Place;
import insitu.internal.Tables;
import insitu.json.Json;
import insitu.json.JsonArray;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code serviceAgreementTemplate}: what an agreement on a service consists of, as a document states it.
 *
 * @param contractName {@code ServiceExecutionTemplate}
 * @param contractAddress also the controller of each condition
 * @param chainId of the contract's chain
 * @param events of the contract
 * @param fulfillmentOrder such as {@code lockReward.fulfill}
 * @param fulfillmentOperator 0
 * @param conditionDependency names of the conditions that each waits for
 * @param conditions in the order in which they are fulfilled
 */
public record AgreementTemplate(
        @Nullable String contractName,
        @Nullable String contractAddress,
        @Nullable Long chainId,
        List<Event> events,
        List<String> fulfillmentOrder,
        @Nullable Long fulfillmentOperator,
        @Nullable Map<String, List<String>> conditionDependency,
        List<Stated> conditions) {

    /** An event of a contract, and who acts on it with which function. */
    public record Event(
            @Nullable String name,
            @Nullable String actorType,
            @Nullable Handler handler) {}

    /** An off-chain function that follows an event. It is compared, never called. */
    public record Handler(
            @Nullable String moduleName,
            @Nullable String functionName,
            @Nullable String version) {}

    /** A parameter of a condition's function. */
    public record Parameter(@Nullable String name, @Nullable String type) {}

    /** A condition; {@code timelock} and {@code timeout} are seconds. */
    public record Stated(
            @Nullable String name,
            long timelock,
            long timeout,
            @Nullable String contractName,
            @Nullable String functionName,
            List<Parameter> parameters,
            List<Event> events,
            @Nullable String conditionKey) {
        /** Returns whether it is the condition of this name, by whichever of its names. */
        public boolean is(String wanted) {
            return name != null && conditionName(name).equals(wanted);
        }
    }

    /** Returns the name of a condition that a name means; the specification itself has two names for two of them. */
    public static String conditionName(String name) {
        return switch (name) {
            case "serviceExecution" -> "execCompute";
            case "releaseReward" -> "escrowReward";
            default -> name;
        };
    }

    /**
     * Returns what a publisher writes into a compute service.
     *
     * @param contract the ServiceExecutionTemplate; also the controller of each condition
     * @param price of the service, in base units
     */
    public static JsonObject written(Address contract, long chainId, BigInteger price) {
        Place blank = Tables.read(AgreementTemplate.class, "agreement-template.json");
        Map<String, JsonValue> values =
                Map.of("_rewardAddress", Json.of(contract.text()), "_amount", Json.of(price.toString()));
        List<JsonValue> conditions = new ArrayList<>();
        for (Place stated : blank.at("conditions").list(one -> one)) {
            Condition condition = Condition.ALL.get(conditions.size());
            List<JsonValue> parameters = stated.at("parameters").list(one -> {
                JsonValue value = values.get(one.at("name").text());
                return value == null ? one.object() : one.object().with("value", value);
            });
            conditions.add(stated.object()
                    .with("conditionKey", new JsonString(condition.key(contract, contract)))
                    .with("parameters", new JsonArray(parameters)));
        }
        return blank.object()
                .with("contractAddress", new JsonString(contract.text()))
                .with("chainId", Json.of(chainId))
                .with("conditions", new JsonArray(conditions));
    }

    /** Returns what every template says, but for its contract, chain and price. */
    public static AgreementTemplate blank() {
        return read(Tables.read(AgreementTemplate.class, "agreement-template.json"));
    }

    static AgreementTemplate read(Place at) {
        return new AgreementTemplate(
                at.at("contractName").optional(Place::text),
                at.at("contractAddress").optional(Place::text),
                at.at("chainId").optional(Place::integer),
                at.at("events").orElse(List.of(), list -> list.list(AgreementTemplate::event)),
                at.at("fulfillmentOrder").orElse(List.of(), list -> list.list(Place::text)),
                at.at("fulfillmentOperator").optional(Place::integer),
                at.at("conditionDependency").optional(names -> names.map(list -> list.list(Place::text))),
                at.at("conditions").orElse(List.of(), list -> list.list(AgreementTemplate::condition)));
    }

    private static Event event(Place at) {
        return new Event(
                at.at("name").optional(Place::text),
                at.at("actorType").optional(Place::text),
                at.at("handler")
                        .optional(handler -> new Handler(
                                handler.at("moduleName").optional(Place::text),
                                handler.at("functionName").optional(Place::text),
                                handler.at("version").optional(Place::text))));
    }

    private static Stated condition(Place at) {
        return new Stated(
                at.at("name").optional(Place::text),
                at.at("timelock").orElse(0L, Place::integer),
                at.at("timeout").orElse(0L, Place::integer),
                at.at("contractName").optional(Place::text),
                at.at("functionName").optional(Place::text),
                at.at("parameters")
                        .orElse(
                                List.of(),
                                list -> list.list(one -> new Parameter(
                                        one.at("name").optional(Place::text),
                                        one.at("type").optional(Place::text)))),
                at.at("events").orElse(List.of(), list -> list.list(AgreementTemplate::event)),
                at.at("conditionKey").optional(Place::text));
    }
}
