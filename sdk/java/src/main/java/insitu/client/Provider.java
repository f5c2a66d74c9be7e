package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.ContractFunction;
import insitu.domain.Contracts;
import insitu.domain.Signatures;
import insitu.domain.Signer;
import insitu.domain.TypedData;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.internal.http.Http;
import insitu.internal.http.Http.Call;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The servers, the contracts and the account that a client is made of. */
final class Provider {
    /**
     * Where everything is, and what the caller trusts.
     *
     * @param url of the gateway, without the path of the API
     * @param catalogue the same of the catalogue
     * @param node of the chain; null for the gateway's, which passes on what is read
     * @param contracts that the caller named
     * @param confirm is asked about others that this release does not know
     */
    record Setting(
            String url,
            String catalogue,
            @Nullable String node,
            @Nullable Deployment contracts,
            Predicate<Deployment> confirm) {}

    /**
     * A gateway that was asked who it is.
     *
     * @param info what it says of itself
     * @param account who provides
     */
    record Opened(JsonObject info, Address account, Chain chain) {}

    private static final Set<String> CHANGING = Set.of("eth_estimateGas", "eth_sendRawTransaction");

    private final Http http;
    private final Setting setting;
    private final Signer account;
    private final Catalogue catalogue;
    private final Resolver resolver = new Resolver(this);
    private final Publisher publisher = new Publisher(this);
    private final Agreements agreements = new Agreements(this);
    private final Map<String, Gateway> gateways = new ConcurrentHashMap<>();
    private final ReentrantLock turn = new ReentrantLock();
    private @Nullable Opened opened;
    private boolean isTrusted;

    Provider(Http http, Setting setting, Signer account) {
        this.http = http;
        this.setting = setting;
        this.account = account;
        this.catalogue = new Catalogue(http, setting.catalogue());
    }

    Http http() {
        return http;
    }

    Signer account() {
        return account;
    }

    Address address() {
        return account.address();
    }

    Catalogue catalogue() {
        return catalogue;
    }

    Resolver resolver() {
        return resolver;
    }

    Agreements agreements() {
        return agreements;
    }

    Publisher publisher() {
        return publisher;
    }

    /** Returns the gateway that the client is connected to. */
    Gateway gateway() {
        return gatewayAt(setting.url());
    }

    /** Returns the gateway at an address, with its session. */
    Gateway gatewayAt(String address) {
        return gateways.computeIfAbsent(address, where -> new Gateway(http, where, new Session(http, where, account)));
    }

    /** Returns whether transactions of the account can be sent: only a node that the caller named takes them. */
    boolean hasNode() {
        return setting.node() != null;
    }

    Chain chain() throws InterruptedException {
        return open().chain();
    }

    /** Asks the gateway once who it is. Throws {@code ContractMismatch} if it uses others than the caller named. */
    Opened open() throws InterruptedException {
        turn.lockInterruptibly();
        try {
            Opened known = opened;
            if (known == null) {
                known = ask();
                opened = known;
            }
            return known;
        } finally {
            turn.unlock();
        }
    }

    private Opened ask() throws InterruptedException {
        URI root = Http.address(setting.url() + Gateway.BASE);
        Call call = Call.get(root, Map.of("Accept", "application/json"));
        Opened said = http.call(
                call,
                at -> new Opened(
                        at.object(),
                        at.at("providerAddress").address(),
                        new Chain(Deployment.read(at), this::askNode)));
        Deployment told = said.chain().contracts();
        if (setting.contracts() != null && !told.equals(setting.contracts())) {
            throw new InsituException(
                    ErrorCode.ContractMismatch, "the gateway uses " + told + ", not " + setting.contracts());
        }
        return said;
    }

    private JsonValue askNode(String method, List<?> parameters) throws InterruptedException {
        String node = setting.node() == null ? setting.url() + Gateway.BASE + "/rpc" : setting.node();
        JsonObject question = Json.objectOf(Map.of("jsonrpc", "2.0", "id", 1, "method", method, "params", parameters));
        boolean changes = CHANGING.contains(method);
        JsonObject answer = http.call(Call.json("POST", Http.address(node), question, !changes), Place::object);
        JsonValue result = answer.get("result");
        if (result == null) {
            String said = String.valueOf(answer.get("error"));
            throw new InsituException(
                    changes ? ErrorCode.TransactionFailed : ErrorCode.ChainUnavailable,
                    "the node refused " + method + ": " + said.substring(0, Math.min(200, said.length())));
        }
        return result;
    }

    /**
     * Refuses contracts that are not ours, are not wired to each other, or that nobody named or confirmed. Nothing is signed
     * before. Throws {@code ContractMismatch}, {@code TemplateNotApproved}, {@code ChainUnavailable}.
     */
    void trust() throws InterruptedException {
        Chain chain = chain();
        turn.lockInterruptibly();
        try {
            if (isTrusted) {
                return;
            }
            Deployment contracts = chain.contracts();
            chain.requireChain();
            chain.requireCode(Contracts.CODE_DID_REGISTRY, contracts.registry());
            chain.requireCode(Contracts.CODE_SERVICE_EXECUTION_TEMPLATE, contracts.template());
            requireWire(chain, Contracts.DID_REGISTRY, contracts.registry());
            requireWire(chain, Contracts.TOKEN, contracts.token());
            Address store = (Address) chain.view(contracts.template(), Contracts.TEMPLATE_STORE);
            if (!Boolean.TRUE.equals(chain.view(store, Contracts.IS_TEMPLATE_APPROVED, contracts.template()))) {
                String detail = contracts.template() + " is not approved by " + store;
                throw new InsituException(ErrorCode.TemplateNotApproved, detail);
            }
            boolean isNamed = setting.contracts() != null || contracts.isKnown();
            if (!isNamed && !setting.confirm().test(contracts)) {
                String detail = "nobody named or confirmed these contracts: " + contracts;
                throw new InsituException(ErrorCode.ContractMismatch, detail);
            }
            isTrusted = true;
        } finally {
            turn.unlock();
        }
    }

    private static void requireWire(Chain chain, ContractFunction function, Address expected)
            throws InterruptedException {
        Object found = chain.view(chain.contracts().template(), function);
        if (!found.equals(expected)) {
            String detail = "the template's " + function.signature() + " is " + found + ", not " + expected;
            throw new InsituException(ErrorCode.ContractMismatch, detail);
        }
    }

    /** Lets the account sign, for contracts that are trusted, and makes sure that it did. Returns hexadecimal digits. */
    String sign(TypedData data) throws InterruptedException {
        trust();
        byte[] signature = account.sign(data);
        // Only a contract account may sign in a form of its own.
        if (!isOurs(data, signature) && chain().code(address()).length == 0) {
            throw new InsituException(ErrorCode.SignatureMismatch, "it is not signed by " + address());
        }
        return Bytes.hex(signature);
    }

    private boolean isOurs(TypedData data, byte[] signature) {
        try {
            return Signatures.recover(data.digest(), signature).equals(address());
        } catch (InsituException notOfAKey) {
            return false;
        }
    }
}
