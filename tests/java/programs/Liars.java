import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import insitu.InsituException;
import insitu.client.About;
import insitu.client.BuyOptions;
import insitu.client.Client;
import insitu.client.Deployment;
import insitu.client.Insitu;
import insitu.domain.Address;
import insitu.domain.LocalSigner;
import insitu.domain.Signer;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Puts a proxy between the client and a provider, which lies in one point, and prints what the client does about each lie. */
final class Liars {
    private interface Act {
        void run() throws InterruptedException;
    }

    /** Changes an answer: of a path, to a question. */
    private interface Lie {
        JsonValue told(String path, String question, JsonObject truth);
    }

    private static final Lie TRUTH = (path, question, truth) -> truth;
    private static final String OTHER = "0x" + "11".repeat(20);

    private static volatile Lie lie = TRUTH;
    private static final AtomicInteger SIGNED = new AtomicInteger();
    private static final AtomicInteger RELAYED = new AtomicInteger();
    private static final HttpClient DIRECT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .proxy(HttpClient.Builder.NO_PROXY)
            .build();

    public static void main(String[] arguments) throws Exception {
        HttpServer proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        proxy.setExecutor(Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work);
            thread.setDaemon(true);
            return thread;
        }));
        proxy.createContext("/", Liars::pass);
        proxy.start();
        ProxySelector.setDefault(ProxySelector.of(proxy.getAddress()));
        String url = arguments[0];
        LocalSigner key = LocalSigner.of(arguments[1]);
        String workflow = arguments[2];
        Map<String, Object> told = new LinkedHashMap<>();
        Map<String, Lie> lies = new LinkedHashMap<>();
        lies.put("price", quote("price", "15"));
        lies.put("timeout", quote("timeout", 1));
        lies.put("settleTimeout", quote("settleTimeout", 1));
        lies.put("deadline", quote("deadlineSeconds", 1));
        lies.put("workflow", quote("workflowHash", "ab".repeat(32)));
        lies.put("inputsHash", quote("inputsHash", "ab".repeat(32)));
        lies.put("otherData", quote("did", "did:nv:" + "ab".repeat(32)));
        lies.put("receivers", quote("receivers", List.of(Map.of("address", OTHER, "amount", "14"))));
        lies.put("provider", quote("provider", OTHER));
        lies.put("nonsense", quote("allowed", "perhaps"));
        lies.put("refused", answer("/check", truth -> Json.objectOf(Map.of(
                "allowed", false, "reasons", List.of(Map.of("code", "AlgorithmNotAllowed", "message", "no"))))));
        lies.put("document", (path, question, truth) -> path.contains("/ddo/did:")
                ? truth.with("created", Json.of("2020-01-01T00:00:00Z"))
                : truth);
        lies.put("code", rpc("eth_getCode", "0x6000"));
        lies.put("chain", rpc("eth_chainId", "0x5"));
        lies.put("template", contracts("ServiceExecutionTemplate"));
        lies.put("registry", contracts("DIDRegistry"));
        lies.put("token", contracts("NeverminedToken"));
        for (Map.Entry<String, Lie> one : lies.entrySet()) {
            told.put(one.getKey(), attempt(one.getValue(), () -> buy(Insitu.at(url, signer(key)), workflow)));
        }
        Deployment named = new Deployment(31337, new Address(OTHER), new Address(OTHER), new Address(OTHER));
        told.put("named", attempt(TRUTH, () -> buy(Insitu.at(url, signer(key)).contracts(named), workflow)));
        Signer other = new Signer() {
            @Override
            public Address address() {
                return key.address();
            }

            @Override
            public byte[] sign(byte[] digest) {
                return LocalSigner.of("07".repeat(32)).sign(digest);
            }
        };
        told.put("otherKey", attempt(TRUTH, () -> buy(Insitu.at(url, other), workflow)));
        Lie swapped = answer("/upload", truth -> truth.with("sha256", Json.of("ab".repeat(32))));
        told.put("upload", code(swapped, () -> publish(Insitu.at(url, key))));
        String data = arguments[3];
        Lie foreign = (path, question, truth) -> path.contains("/publications/")
                ? Json.objectOf(Map.of("did", data, "state", "listed", "checksum", arguments[4]))
                : truth;
        told.put("foreign", code(foreign, () -> {
            if (publish(Insitu.at(url, key)).equals(data)) {
                throw new AssertionError("the asset of somebody else is taken for ours");
            }
        }));
        System.out.println(Json.text(Json.objectOf(told)));
        proxy.stop(0);
    }

    private static void buy(Insitu.Builder builder, String workflow) throws InterruptedException {
        try (Client client = builder.connect()) {
            client.agreements().buy(workflow, BuyOptions.NONE);
        }
    }

    private static String publish(Insitu.Builder builder) throws InterruptedException {
        Map<String, byte[]> files = Map.of("liar.py", new byte[] {35});
        try (Client client = builder.connect()) {
            return client.assets().publishAlgorithm("liar", files, null, About.NOTHING).did();
        }
    }

    private static List<Object> attempt(Lie told, Act act) throws InterruptedException {
        SIGNED.set(0);
        RELAYED.set(0);
        String code = code(told, act);
        return List.of(code, SIGNED.get(), RELAYED.get());
    }

    private static String code(Lie told, Act act) throws InterruptedException {
        lie = told;
        try {
            act.run();
            return "ok";
        } catch (InsituException refusal) {
            return refusal.code();
        } finally {
            lie = TRUTH;
        }
    }

    private static Signer signer(LocalSigner key) {
        return new Signer() {
            @Override
            public Address address() {
                return key.address();
            }

            @Override
            public byte[] sign(byte[] digest) {
                SIGNED.incrementAndGet();
                return key.sign(digest);
            }
        };
    }

    private static Lie answer(String path, java.util.function.Function<JsonObject, JsonValue> change) {
        return (asked, question, truth) -> asked.endsWith(path) ? change.apply(truth) : truth;
    }

    private static Lie quote(String member, Object value) {
        return answer("/check", truth -> truth.with(member, Json.of(value)));
    }

    private static Lie rpc(String method, String result) {
        return (path, question, truth) ->
                question.contains('"' + method + '"') ? truth.with("result", Json.of(result)) : truth;
    }

    private static Lie contracts(String name) {
        return (path, question, truth) -> truth.get("contracts") instanceof JsonObject contracts
                ? truth.with("contracts", contracts.with(name, Json.of(OTHER)))
                : truth;
    }

    private static void pass(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        byte[] question = exchange.getRequestBody().readAllBytes();
        HttpRequest.Builder request = HttpRequest.newBuilder(exchange.getRequestURI())
                .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(question));
        List.of("Accept", "Authorization", "Content-Type", "Idempotency-Key").forEach(name -> {
            String value = exchange.getRequestHeaders().getFirst(name);
            if (value != null) {
                request.header(name, value);
            }
        });
        if (exchange.getRequestMethod().equals("POST") && path.endsWith("/agreements")) {
            RELAYED.incrementAndGet();
        }
        try {
            HttpResponse<byte[]> response = DIRECT.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            byte[] body = response.body();
            int status = response.statusCode();
            if (body.length > 0 && body[0] == '{') {
                JsonObject truth = (JsonObject) Json.read(body);
                JsonValue said = lie.told(path, new String(question), truth);
                if (!said.equals(truth)) {
                    body = Json.canonical(said);
                    status = 200;
                }
            }
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
        } finally {
            exchange.close();
        }
    }
}
