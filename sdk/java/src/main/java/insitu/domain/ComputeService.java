package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.Violation;
import insitu.internal.Place;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code main} of a compute service: in which containers and on which servers, at what price and rules.
 *
 * @param creator who offers it
 * @param datePublished such as {@code 2019-04-09T19:02:11Z}
 * @param price base units of the token
 * @param timeout seconds in which executions may start
 * @param containers supportedContainers
 * @param servers supportedServers
 * @param template what an agreement consists of
 * @param policy the data owner's rules
 */
public record ComputeService(
        @Nullable String creator,
        @Nullable String datePublished,
        BigInteger price,
        long timeout,
        List<Container> containers,
        List<Server> servers,
        @Nullable AgreementTemplate template,
        Policy policy) {
    private static final String TEMPLATE = "serviceAgreementTemplate";

    /** A server that an execution may run on; quantities are texts such as {@code 8gb}, the last one is seconds. */
    public record Server(
            @Nullable String serverId,
            @Nullable String serverType,
            BigInteger price,
            String cpu,
            String gpu,
            String memory,
            String disk,
            long maxExecutionTime) {}

    private record Environment(List<Container> containers, List<Server> servers) {}

    /**
     * Reads a service of type compute, with the agreement template from older places too.
     *
     * @param pointer where the service is in its document
     * @throws InsituException {@code ServiceNotFound} if it is of another type, {@code InvalidDocument} with a pointer
     */
    public static ComputeService of(Ddo.Service service, String pointer) {
        if (!"compute".equals(service.type())) {
            String detail = "service " + service.index() + " is of type " + service.type() + ", not compute";
            throw new InsituException(ErrorCode.ServiceNotFound, detail);
        }
        return read(new Place(completeMain(service), pointer + "/attributes/main", false, null));
    }

    /** Returns {@code main} of a compute service with the agreement template, which older documents have elsewhere. */
    public static JsonObject completeMain(Ddo.Service service) {
        if (service.main().get(TEMPLATE) != null) {
            return service.main();
        }
        JsonObject attributes = service.attributes() == null ? JsonObject.EMPTY : service.attributes();
        JsonValue given = attributes.get(TEMPLATE) instanceof JsonObject inside
                ? inside
                : service.json().get(TEMPLATE);
        return given instanceof JsonObject ? service.main().with(TEMPLATE, given) : service.main();
    }

    /** Reads {@code main} of a compute service. Throws {@code InvalidDocument} with a pointer. */
    public static ComputeService read(JsonValue main) {
        return read(Place.of(main));
    }

    /**
     * Reads {@code main} of a compute service as far as it can be read.
     *
     * @param pointer where it is in its document
     * @param refused gets everything that cannot be read; then nobody may use the answer
     * @throws InsituException {@code InvalidDocument} if it is no object
     */
    public static ComputeService read(JsonValue main, String pointer, List<Violation> refused) {
        return read(new Place(main, pointer, false, refused));
    }

    static ComputeService read(Place at) {
        at.at("name").optional(Place::text);
        String creator = at.at("creator").optional(Place::text);
        String datePublished = at.at("datePublished").optional(Place::text);
        BigInteger price = at.at("price").orElse(BigInteger.ZERO, Place::documentAmount);
        long timeout = at.at("timeout").orElse(0L, Place::integer);
        Environment environment = at.at("provider").orEmpty(ComputeService::provider);
        return new ComputeService(
                creator,
                datePublished,
                price,
                timeout,
                environment.containers,
                environment.servers,
                at.at(TEMPLATE).optional(AgreementTemplate::read),
                at.at("policy").orEmpty(Policy::read));
    }

    private static Environment provider(Place at) {
        at.at("type").optional(Place::text);
        at.at("description").optional(Place::text);
        return at.at("environment").orEmpty(ComputeService::environment);
    }

    private static Environment environment(Place at) {
        at.at("cluster")
                .optional(cluster -> Stream.of("type", "url")
                        .map(name -> cluster.at(name).optional(Place::text))
                        .toList());
        return new Environment(
                at.at("supportedContainers").orElse(List.of(), list -> list.list(Container::read)),
                at.at("supportedServers").orElse(List.of(), list -> list.list(ComputeService::server)));
    }

    private static Server server(Place at) {
        return new Server(
                at.at(at.at("serverId").isAbsent() ? "containerId" : "serverId").optional(Place::text),
                at.at(at.at("serverType").isAbsent() ? "typeContainer" : "serverType")
                        .optional(Place::text),
                at.at("price").orElse(BigInteger.ZERO, Place::documentAmount),
                at.at("cpu").orElse("1", Place::quantity),
                at.at("gpu").orElse("0", Place::quantity),
                at.at("memory").orElse("1gb", Place::quantity),
                at.at("disk").orElse("1gb", Place::quantity),
                at.at("maxExecutionTime").orElse(0L, Place::integer));
    }

    /** Returns the times of an agreement on it. Throws what {@link AgreementTimes#of} throws. */
    public AgreementTimes times() {
        long longest =
                servers.stream().mapToLong(Server::maxExecutionTime).max().orElse(0);
        return AgreementTimes.of(timeout, template == null ? List.of() : template.conditions(), Math.max(0, longest));
    }
}
