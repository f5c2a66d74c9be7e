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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Puts a proxy between the client and a provider, which lies in one point, and prints what the client does about each lie. */
final class Liars {
    private static final String OTHER = "0x" + "11".repeat(20);

    private static final AtomicInteger SIGNED = new AtomicInteger();

    public static void main(String[] arguments) throws Exception {
        LyingProxy.start();
        String url = arguments[0];
        LocalSigner key = LocalSigner.of(arguments[1]);
        String workflow = arguments[2];
        Map<String, Object> told = new LinkedHashMap<>();
        Map<String, LyingProxy.Lie> lies = new LinkedHashMap<>();
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
        lies.put("refused", LyingProxy.answer("/check", truth -> Json.objectOf(Map.of(
                "allowed", false, "reasons", List.of(Map.of("code", "AlgorithmNotAllowed", "message", "no"))))));
        lies.put("document", (path, question, truth) -> path.contains("/ddo/did:")
                ? truth.with("created", Json.of("2020-01-01T00:00:00Z"))
                : truth);
        lies.put("code", rpc("eth_getCode", "0x6000"));
        lies.put("chain", rpc("eth_chainId", "0x5"));
        lies.put("template", contracts("ServiceExecutionTemplate"));
        lies.put("registry", contracts("DIDRegistry"));
        lies.put("token", contracts("NeverminedToken"));
        for (Map.Entry<String, LyingProxy.Lie> one : lies.entrySet()) {
            told.put(one.getKey(), attempt(one.getValue(), () -> buy(Insitu.at(url, signer(key)), workflow)));
        }
        Deployment named = new Deployment(31337, new Address(OTHER), new Address(OTHER), new Address(OTHER));
        told.put("named", attempt(LyingProxy.TRUTH, () -> buy(Insitu.at(url, signer(key)).contracts(named), workflow)));
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
        told.put("otherKey", attempt(LyingProxy.TRUTH, () -> buy(Insitu.at(url, other), workflow)));
        LyingProxy.Lie swapped = LyingProxy.answer("/upload", truth -> truth.with("sha256", Json.of("ab".repeat(32))));
        told.put("upload", LyingProxy.code(swapped, () -> publish(Insitu.at(url, key))));
        String data = arguments[3];
        LyingProxy.Lie foreign = (path, question, truth) -> path.contains("/publications/")
                ? Json.objectOf(Map.of("did", data, "state", "listed", "checksum", arguments[4]))
                : truth;
        told.put("foreign", LyingProxy.code(foreign, () -> {
            if (publish(Insitu.at(url, key)).equals(data)) {
                throw new AssertionError("the asset of somebody else is taken for ours");
            }
        }));
        System.out.println(Json.text(Json.objectOf(told)));
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

    private static List<Object> attempt(LyingProxy.Lie told, LyingProxy.Act act) throws InterruptedException {
        SIGNED.set(0);
        LyingProxy.RELAYED.set(0);
        String code = LyingProxy.code(told, act);
        return List.of(code, SIGNED.get(), LyingProxy.RELAYED.get());
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

    private static LyingProxy.Lie quote(String member, Object value) {
        return LyingProxy.answer("/check", truth -> truth.with(member, Json.of(value)));
    }

    private static LyingProxy.Lie rpc(String method, String result) {
        return (path, question, truth) ->
                question.contains('"' + method + '"') ? truth.with("result", Json.of(result)) : truth;
    }

    private static LyingProxy.Lie contracts(String name) {
        return (path, question, truth) -> truth.get("contracts") instanceof JsonObject contracts
                ? truth.with("contracts", contracts.with(name, Json.of(OTHER)))
                : truth;
    }
}
