package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.ComputeService.Server;
import java.math.BigInteger;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a purchase costs, computed from documents alone. A gateway's quote is trusted only if it says the same.
 *
 * @param server the one that runs it
 * @param amounts in base units; zeros are left out
 * @param receivers of each amount, each once, the gateway first: it gets the rest of a rounded charge
 * @param times of the agreement
 */
public record ExpectedCost(Server server, List<BigInteger> amounts, List<Address> receivers, AgreementTimes times) {
    /** The most accounts that the contract pays for one agreement. */
    private static final int MOST_RECEIVERS = 8;

    private static final Comparator<Server> BY_SIZE = Comparator.comparing(Server::price)
            .thenComparing(one -> Units.parseCores(one.cpu()))
            .thenComparing(one -> Units.parseBytes(one.memory()))
            .thenComparing(one -> Units.parseBytes(one.disk()))
            .thenComparing(one -> Units.parseCount(one.gpu()));

    public ExpectedCost {
        amounts = List.copyOf(amounts);
        receivers = List.copyOf(receivers);
    }

    /**
     * Returns what a workflow costs, on which server, who is paid, and in which times (C1).
     *
     * @param inputs every data set of the workflow once, in its order
     * @param provider the gateway's account, which is paid for the server
     * @throws InsituException {@code ServerAmbiguous}, {@code NoSuitableServer}, {@code InvalidQuantity},
     *     {@code SeveralOwnersTooMany}, {@code InvalidAmount}, or what {@link AgreementTimes#of} throws
     */
    public static ExpectedCost of(Workflow workflow, List<OfferedInput> inputs, Address provider, Address consumer) {
        List<ComputeService> services =
                inputs.stream().map(OfferedInput::service).toList();
        Server server = chooseServer(workflow, services);
        List<AgreementTimes> times =
                services.stream().map(ComputeService::times).toList();
        Map<Address, BigInteger> bill = new LinkedHashMap<>();
        bill.put(provider, server.price());
        Set<String> counted = new TreeSet<>();
        for (OfferedInput input : inputs) {
            if (counted.add(input.did()) && !input.owner().equals(consumer)) {
                bill.merge(input.owner(), input.service().price(), BigInteger::add);
            }
        }
        bill.values().removeIf(amount -> amount.signum() == 0);
        if (bill.size() > MOST_RECEIVERS) {
            String detail = bill.size() + " accounts must be paid, but at most " + MOST_RECEIVERS + " can";
            throw new InsituException(ErrorCode.SeveralOwnersTooMany, detail);
        }
        ExpectedCost cost = new ExpectedCost(
                server,
                List.copyOf(bill.values()),
                List.copyOf(bill.keySet()),
                times.get(0).joint(times));
        if (cost.total().compareTo(Money.MAX_AMOUNT) > 0) {
            throw new InsituException(ErrorCode.InvalidAmount, "the total is beyond 2^128 - 1");
        }
        return cost;
    }

    /** Returns the price in base units. */
    public BigInteger total() {
        return amounts.stream().reduce(BigInteger.ZERO, BigInteger::add);
    }

    /**
     * Returns the one server of an execution: the {@code serverId} that the stages name, or the cheapest one that is large
     * enough. It is one of the first input's servers, and all other inputs must offer a server with the same id.
     *
     * @param services of the inputs, in the order of the workflow
     * @throws InsituException {@code ServerAmbiguous} if stages name different servers, {@code NoSuitableServer},
     *     {@code InvalidQuantity}
     */
    public static Server chooseServer(Workflow workflow, List<ComputeService> services) {
        Set<String> named = new LinkedHashSet<>();
        for (Workflow.Stage stage : workflow.orderedStages()) {
            if (stage.requirements().serverId() != null) {
                named.add(stage.requirements().serverId());
            }
        }
        if (named.size() > 1) {
            String detail = "the stages name the servers " + Ids.shown(String.join(", ", named));
            throw new InsituException(ErrorCode.ServerAmbiguous, detail);
        }
        List<Server> wanted = services.stream()
                .limit(1)
                .flatMap(first -> first.servers().stream())
                .filter(server -> services.stream().allMatch(other -> offers(other, server.serverId())))
                .filter(server -> named.isEmpty() || named.contains(String.valueOf(server.serverId())))
                .toList();
        if (wanted.isEmpty()) {
            throw new InsituException(
                    ErrorCode.NoSuitableServer, "no server " + Ids.shown(String.join("", named)) + " has all inputs");
        }
        long cores = most(workflow, Workflow.Requirements::cpu, Units::parseCores);
        long gpus = most(workflow, Workflow.Requirements::gpu, Units::parseCount);
        long memory = most(workflow, Workflow.Requirements::memory, Units::parseBytes);
        long disk = most(workflow, Workflow.Requirements::disk, Units::parseBytes);
        return wanted.stream()
                .filter(one -> Units.parseCores(one.cpu()) >= cores
                        & Units.parseBytes(one.memory()) >= memory
                        & Units.parseBytes(one.disk()) >= disk
                        & Units.parseCount(one.gpu()) >= gpus)
                .min(BY_SIZE)
                .orElseThrow(
                        () -> new InsituException(ErrorCode.NoSuitableServer, "no server offers what the stages need"));
    }

    private static boolean offers(ComputeService service, @Nullable String serverId) {
        return service.servers().stream().anyMatch(one -> Objects.equals(one.serverId(), serverId));
    }

    private static long most(
            Workflow workflow,
            Function<Workflow.Requirements, @Nullable String> quantity,
            ToLongFunction<String> parse) {
        return workflow.stages().stream()
                .map(stage -> quantity.apply(stage.requirements()))
                .filter(Objects::nonNull)
                .mapToLong(parse)
                .max()
                .orElse(0);
    }
}
