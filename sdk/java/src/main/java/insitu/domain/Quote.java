package insitu.domain;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What a gateway offers for a workflow (C1). Amounts are base units, times are in seconds.
 *
 * @param json everything that the gateway says, also what this release has no word for
 */
public record Quote(JsonObject json) {
    /** What one account is paid. */
    public record Payment(Address address, BigInteger amount) {}

    /** Reads a quote. Throws {@code InvalidDocument} with a pointer. */
    public static Quote read(JsonValue json) {
        Quote quote = new Quote(Place.of(json).object());
        quote.price();
        quote.serverId();
        quote.inputs();
        quote.terms(quote.provider(), 0, "");
        return quote;
    }

    private Place at(String name) {
        return Place.of(json).at(name);
    }

    /** Returns the price: the sum of what is paid. */
    public BigInteger price() {
        return at("price").amount();
    }

    /** Returns who computes, and must have the right to provide the inputs: the chain must be asked. */
    public Address provider() {
        return at("provider").address();
    }

    /** Returns what each account is paid. */
    public List<Payment> receivers() {
        return at("receivers")
                .list(one -> new Payment(
                        one.at("address").address(), one.at("amount").amount()));
    }

    /** Returns the versions of the data sets that are sold. */
    public List<InputVersion> inputs() {
        return at("inputs")
                .list(one -> new InputVersion(
                        one.at("did").text(), one.at("checksum").text()));
    }

    /** Returns the server that would run it, by the name that the documents give it. */
    public Optional<String> serverId() {
        return Optional.ofNullable(at("server").at("serverId").optional(Place::text));
    }

    /**
     * Refuses the quote if it differs from what the documents say. Do this before anything is signed.
     *
     * @throws InsituException {@code TermsMismatch} with both sides
     */
    public void verify(WantedPurchase wanted) {
        ExpectedCost cost = wanted.cost();
        AgreementTimes times = cost.times();
        same("did", at("did").text(), wanted.inputs().get(0).did());
        Map<String, String> quoted = new HashMap<>();
        inputs().forEach(input -> quoted.put(input.did(), Bytes.plainDigits(input.checksum())));
        wanted.inputs()
                .forEach(input -> same(
                        "version of " + input.did(), quoted.get(input.did()), Bytes.plainDigits(input.checksum())));
        same("hash of the inputs", digits("inputsHash"), Bytes.plainDigits(InputVersion.hash(wanted.inputs())));
        same("workflow", at("workflowDid").text(), wanted.workflow().did());
        same(
                "version of the workflow",
                digits("workflowHash"),
                Bytes.plainDigits(wanted.workflow().checksum()));
        same("service", seconds("serviceIndex"), wanted.serviceIndex());
        same("server", serverId().orElse(null), cost.server().serverId());
        same("price", price(), cost.total());
        same(
                "receivers",
                receivers(),
                IntStream.range(0, cost.amounts().size())
                        .mapToObj(paid -> new Payment(
                                cost.receivers().get(paid), cost.amounts().get(paid)))
                        .toList());
        same("deadlineSeconds", seconds("deadlineSeconds"), times.lockTimeout());
        same("grantTimeout", seconds("grantTimeout"), times.grantTimeout());
        same("timeout", seconds("timeout"), times.timeout());
        same("settleTimeout", seconds("settleTimeout"), times.settleTimeout());
    }

    /**
     * Returns the terms of the quote (C2, C3). Verify the quote before they are signed.
     *
     * @param now the chain's time, in seconds since 1970
     * @param seed 64 hexadecimal digits; keep it before anything is signed, so that asking again buys nothing twice
     */
    public Terms terms(Address consumer, long now, String seed) {
        return new Terms(
                "0x" + Bytes.plainDigits(seed),
                new Did(at("did").text()).hex(),
                "0x" + digits("inputsHash"),
                new Did(at("workflowDid").text()).hex(),
                "0x" + digits("workflowHash"),
                consumer,
                provider(),
                seconds("serviceIndex"),
                now + seconds("deadlineSeconds"),
                seconds("grantTimeout"),
                seconds("timeout"),
                seconds("settleTimeout"),
                receivers().stream().map(Payment::amount).toList(),
                receivers().stream().map(Payment::address).toList());
    }

    private String digits(String name) {
        return Bytes.plainDigits(at(name).text());
    }

    private long seconds(String name) {
        return at(name).count();
    }

    private static void same(String name, @Nullable Object said, @Nullable Object own) {
        if (!Objects.equals(said, own)) {
            String detail = "the quote's " + name + " is " + said + ", the documents say " + own;
            throw new InsituException(ErrorCode.TermsMismatch, detail);
        }
    }
}
