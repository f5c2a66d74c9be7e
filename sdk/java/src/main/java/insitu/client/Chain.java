package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.AgreementId;
import insitu.domain.ContractCode;
import insitu.domain.ContractFunction;
import insitu.domain.Contracts;
import insitu.domain.Did;
import insitu.domain.Terms;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.JsonNull;
import insitu.json.JsonValue;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads what the contracts say. */
final class Chain {
    /** Asks a node of the chain (JSON-RPC). */
    interface Node {
        JsonValue ask(String method, List<?> parameters) throws InterruptedException;
    }

    /** An event: its topics, and the rest of what it says. */
    private record Log(List<String> topics, byte[] data) {}

    private static final Pattern HEX = Pattern.compile("0x[0-9a-fA-F]*");
    // Blocks of one search; gateways pass on no longer ones.
    private static final long SPAN = 2000;
    private static final long ABORTED = 3;
    private static final long FULFILLED = 2;

    private final Deployment contracts;
    private final Node node;

    Chain(Deployment contracts, Node node) {
        this.contracts = contracts;
        this.node = node;
    }

    Deployment contracts() {
        return contracts;
    }

    /** Refuses a node of another chain. */
    void requireChain() throws InterruptedException {
        BigInteger told = number("eth_chainId", List.of());
        if (!told.equals(BigInteger.valueOf(contracts.chainId()))) {
            String detail = "the node is of chain " + told + ", not of " + contracts.chainId();
            throw new InsituException(ErrorCode.ContractMismatch, detail);
        }
    }

    /** Returns what a function says that only reads. */
    Object view(Address to, ContractFunction function, Object... values) throws InterruptedException {
        Map<String, String> call =
                Map.of("to", to.text(), "data", function.call(values).data());
        return function.read(bytes(node.ask("eth_call", List.of(call, "latest"))))
                .get(0);
    }

    /** Returns the registry's record of a DID, or null if it is not registered. */
    @Nullable
    DidRecord find(String did) throws InterruptedException {
        String wanted = new Did(did).hex();
        for (Pause pause = new Pause(100, 800); ; pause.sleep()) {
            List<?> register = (List<?>) view(contracts.registry(), Contracts.GET_DID_REGISTER, wanted);
            long version = longOf(register.get(2));
            if (version == 0) {
                return null;
            }
            Registration current = registration(did, version, longOf(register.get(1)));
            if (current != null && ("0x" + current.checksum()).equals(register.get(4))) {
                return new DidRecord(current, (Address) register.get(0), longOf(register.get(3)));
            }
            // A node that is adding a block may have the state before the events.
            if (pause.isLongest()) {
                throw unavailable("the node has no event of " + did, null);
            }
        }
    }

    /** Returns the registry's record of a DID. Throws {@code AssetNotFound}. */
    DidRecord record(String did) throws InterruptedException {
        DidRecord record = find(did);
        if (record == null) {
            throw new InsituException(ErrorCode.AssetNotFound, did + " is not registered on chain");
        }
        return record;
    }

    /** Returns the registration of a version of a DID in a block, or null. */
    @Nullable
    Registration registration(String did, long version, long block) throws InterruptedException {
        List<Object> topics = List.of(Contracts.DID_ATTRIBUTE_REGISTERED.topic(), new Did(did).hex());
        for (Log log : logs(contracts.registry(), block, block, topics)) {
            List<Object> said = Contracts.DID_ATTRIBUTE_REGISTERED.read(log.data());
            if (longOf(said.get(1)) == version && log.topics().size() > 3) {
                return new Registration(
                        did,
                        version,
                        Bytes.plainDigits(log.topics().get(3)),
                        (String) said.get(0),
                        new Address("0x" + log.topics().get(2).substring(26)),
                        block,
                        longOf(said.get(2)));
            }
        }
        return null;
    }

    /** Returns the registration before another one, or null for version 1. */
    @Nullable
    Registration before(Registration later) throws InterruptedException {
        if (later.version() == 1) {
            return null;
        }
        Registration found = registration(later.did(), later.version() - 1, later.previousBlock());
        if (found == null) {
            throw unavailable("the node has no version " + (later.version() - 1) + " of " + later.did(), null);
        }
        return found;
    }

    /** Returns whether an account is owner or provider of an asset. */
    boolean isProvider(String did, Address account) throws InterruptedException {
        return (Boolean) view(contracts.registry(), Contracts.IS_DID_PROVIDER, new Did(did).hex(), account);
    }

    /** Returns one number that the token says about accounts. */
    BigInteger tokenNumber(ContractFunction function, Object... accounts) throws InterruptedException {
        return (BigInteger) view(contracts.token(), function, accounts);
    }

    /** Returns the time of the next block, in seconds since 1970. */
    long time() throws InterruptedException {
        return Math.max(timeOf("latest"), timeOf("pending"));
    }

    private long timeOf(String block) throws InterruptedException {
        JsonValue found = node.ask("eth_getBlockByNumber", List.of(block, false));
        return found == JsonNull.NULL ? 0 : longOf(read(found, at -> quantity(at.at("timestamp"))));
    }

    /** Returns the code at an address; it has no bytes if it is the account of a key. */
    byte[] code(Address account) throws InterruptedException {
        return bytes(node.ask("eth_getCode", List.of(account.text(), "latest")));
    }

    /** Returns a number that the node says. */
    BigInteger number(String method, List<?> parameters) throws InterruptedException {
        return read(node.ask(method, parameters), Chain::quantity);
    }

    /** Returns how much of the chain's own coin an account has. */
    BigInteger coin(Address account) throws InterruptedException {
        return number("eth_getBalance", List.of(account.text(), "latest"));
    }

    /** Returns whether a transaction did what it should, or null if it is in no block yet. */
    @Nullable
    Boolean outcome(String transaction) throws InterruptedException {
        JsonValue receipt = node.ask("eth_getTransactionReceipt", List.of(transaction));
        return receipt == JsonNull.NULL ? null : longOf(read(receipt, at -> quantity(at.at("status")))) == 1;
    }

    /** Sends a signed transaction. */
    void send(byte[] transaction) throws InterruptedException {
        node.ask("eth_sendRawTransaction", List.of(Bytes.hex(transaction)));
    }

    /** Returns where an agreement stands. */
    AgreementState state(AgreementId agreement) throws InterruptedException {
        List<?> found = (List<?>) view(contracts.template(), Contracts.GET_AGREEMENT, agreement.hex());
        return new AgreementState(
                (BigInteger) found.get(0),
                longOf(found.get(1)),
                longOf(found.get(2)) == FULFILLED,
                longOf(found.get(3)) == FULFILLED,
                longOf(found.get(4)) == ABORTED,
                (Boolean) found.get(5));
    }

    /** Returns the terms behind an agreement's id. Nobody can forge them: the id is their hash. */
    Terms terms(AgreementId agreement) throws InterruptedException {
        List<Object> topics = List.of(Contracts.AGREEMENT_CREATED.topic(), agreement.hex());
        List<Terms> found =
                created(topics, terms -> terms.id(contracts.domain()).equals(agreement), 1);
        if (found.isEmpty()) {
            throw new InsituException(ErrorCode.AgreementUnknown, "the chain has no agreement " + agreement);
        }
        return found.get(0);
    }

    /** Returns the terms of a consumer's agreements that are wanted, newest first. */
    List<Terms> termsOf(Address consumer, Predicate<Terms> wanted, int most) throws InterruptedException {
        List<Object> topics = new ArrayList<>(Arrays.asList(Contracts.AGREEMENT_CREATED.topic(), null));
        topics.add(Bytes.hex(Bytes.padStart(consumer.bytes())));
        return created(topics, terms -> terms.consumer().equals(consumer) && wanted.test(terms), most);
    }

    private List<Terms> created(List<Object> topics, Predicate<Terms> wanted, int most) throws InterruptedException {
        List<Terms> found = new ArrayList<>();
        for (long to = longOf(number("eth_blockNumber", List.of())); to >= 0 && found.size() < most; to -= SPAN) {
            List<Log> logs = logs(contracts.template(), Math.max(0, to - SPAN + 1), to, topics);
            for (int at = logs.size() - 1; at >= 0 && found.size() < most; at--) {
                Terms terms = termsOf((List<?>)
                        Contracts.AGREEMENT_CREATED.read(logs.get(at).data()).get(0));
                if (wanted.test(terms)) {
                    found.add(terms);
                }
            }
        }
        return found;
    }

    /** Returns whether an execution of an agreement is settled. */
    boolean isSettled(AgreementId agreement, long index) throws InterruptedException {
        List<Object> topics =
                List.of(Contracts.PAYMENT_RELEASED.topic(), agreement.hex(), Bytes.hex(Bytes.word(index)));
        boolean isSettled = false;
        for (long to = longOf(number("eth_blockNumber", List.of())); to >= 0 && !isSettled; to -= SPAN) {
            isSettled = !logs(contracts.template(), Math.max(0, to - SPAN + 1), to, topics)
                    .isEmpty();
        }
        return isSettled;
    }

    /** Compares the code at an address with that of this release. */
    void requireCode(ContractCode expected, Address address) throws InterruptedException {
        if (!expected.isCode(code(address))) {
            String detail =
                    "the code at " + address + " is not that of the " + expected.contract() + " of this release";
            throw new InsituException(ErrorCode.ContractMismatch, detail);
        }
    }

    private List<Log> logs(Address address, long from, long to, List<?> topics) throws InterruptedException {
        Map<String, Object> filter = new LinkedHashMap<>();
        filter.put("address", address.text());
        filter.put("fromBlock", "0x" + Long.toHexString(from));
        filter.put("toBlock", "0x" + Long.toHexString(to));
        filter.put("topics", topics);
        return read(
                node.ask("eth_getLogs", List.of(filter)),
                logs -> logs.list(log -> new Log(
                        log.at("topics").list(topic -> topic.matching(HEX, "a topic")),
                        Bytes.fromHex(log.at("data").matching(HEX, "bytes")))));
    }

    private static Terms termsOf(List<?> struct) {
        return new Terms(
                (String) struct.get(0),
                (String) struct.get(1),
                (String) struct.get(2),
                (String) struct.get(3),
                (String) struct.get(4),
                (Address) struct.get(5),
                (Address) struct.get(6),
                longOf(struct.get(7)),
                longOf(struct.get(8)),
                longOf(struct.get(9)),
                longOf(struct.get(10)),
                longOf(struct.get(11)),
                ((List<?>) struct.get(12)).stream().map(BigInteger.class::cast).toList(),
                ((List<?>) struct.get(13)).stream().map(Address.class::cast).toList());
    }

    private static BigInteger quantity(Place at) {
        String digits =
                at.matching(Pattern.compile("0x[0-9a-fA-F]{1,64}"), "a number").substring(2);
        return new BigInteger(digits, 16);
    }

    private static byte[] bytes(JsonValue answer) {
        return read(answer, at -> Bytes.fromHex(at.matching(HEX, "bytes")));
    }

    private static <T> T read(JsonValue answer, Function<Place, T> read) {
        try {
            return read.apply(Place.of(answer));
        } catch (InsituException cause) {
            throw unavailable("the node's answer does not fit the question", cause);
        }
    }

    private static long longOf(Object number) {
        try {
            return ((BigInteger) number).longValueExact();
        } catch (ArithmeticException cause) {
            throw unavailable("the node says a number that is too large", cause);
        }
    }

    private static InsituException unavailable(String detail, @Nullable Throwable cause) {
        return cause == null
                ? new InsituException(ErrorCode.ChainUnavailable, detail)
                : new InsituException(ErrorCode.ChainUnavailable, detail, cause);
    }
}
