import insitu.client.Agreement;
import insitu.client.BuyOptions;
import insitu.client.Client;
import insitu.client.Execution;
import insitu.client.Insitu;
import insitu.client.ResultFile;
import insitu.domain.FileDigest;
import insitu.domain.LocalSigner;
import insitu.json.Json;
import insitu.json.JsonArray;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import insitu.receipt.Receipts;
import insitu.receipt.VerifiedReceipt;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs two agreements, lets a proxy answer for one with what is true of the other, and prints how each lie ends. */
final class Reads {
    private static Path folder;
    private static int folders;

    public static void main(String[] arguments) throws Exception {
        LyingProxy.start();
        String url = arguments[0];
        LocalSigner key = LocalSigner.of(arguments[1]);
        folder = Path.of(arguments[4]);
        Map<String, Object> told = new LinkedHashMap<>();
        try (Client client = Insitu.connect(url, key)) {
            Agreement first = client.agreements().buy(arguments[2]);
            Agreement second = client.agreements().buy(arguments[3]);
            Execution own = client.compute().execute(first.id().text(), "own");
            Execution other = client.compute().execute(second.id().text(), "other");
            told.put("phases", List.of(own.waitUntilEnded().phase(), other.waitUntilEnded().phase()));
            String mine = "/" + own.agreement() + "/" + own.id();
            String theirs = "/" + other.agreement() + "/" + other.id();
            VerifiedReceipt receipt = Receipts.verify(own.receipt());

            told.put("status", LyingProxy.code(mine, theirs, own::status));
            told.put("stream", LyingProxy.code(mine, theirs, () -> own.follow(happened -> {})));
            told.put("receipt", LyingProxy.code(mine, theirs, own::receipt));
            told.put("true", LyingProxy.code("", "", () -> receipt.requireFiles(saved(own))));
            told.put("files", LyingProxy.code(mine, theirs, () -> receipt.requireFiles(saved(own))));
            told.put("order", LyingProxy.code(address -> swapped(address), () -> saved(own)));
            told.put("names", LyingProxy.code(
                    LyingProxy.answer("/result/", Reads::withSwappedNames), () -> receipt.requireFiles(saved(own))));
            told.put("outside", LyingProxy.code(LyingProxy.answer("/result/", Reads::outside), () -> saved(own)));
            LyingProxy.Lie otherStart = LyingProxy.answer("/exec", truth -> truth.with(
                    "workflowExecutionId", Json.of(other.id())));
            told.put("start", LyingProxy.code(
                    otherStart, () -> client.compute().execute(first.id().text(), "own")));
        }
        String seed = "ef".repeat(32);
        BuyOptions how = BuyOptions.NONE.seed(seed);
        told.put("document", fresh(url, key, client -> LyingProxy.code(
                address -> address.contains("/ddo/" + arguments[2])
                        ? address.substring(0, address.indexOf('?')).replace(arguments[2], arguments[3])
                        : address,
                () -> client.agreements().buy(arguments[2], how))));
        LyingProxy.Lie otherBought = (path, question, truth) -> path.endsWith("/agreements") && !question.isEmpty()
                ? truth.with("serviceAgreementId", Json.of("ab".repeat(32)))
                : truth;
        told.put("bought", fresh(url, key, client -> LyingProxy.code(
                otherBought, () -> client.agreements().buy(arguments[2], how))));
        told.put("again", fresh(url, key, client -> client.agreements().buy(arguments[2], how).status()));
        System.out.println(Json.text(Json.objectOf(told)));
    }

    private interface Asking {
        String of(Client client) throws InterruptedException;
    }

    /** A client that has read nothing yet. */
    private static String fresh(String url, LocalSigner key, Asking asking) throws InterruptedException {
        try (Client client = Insitu.connect(url, key)) {
            return asking.of(client);
        }
    }

    private static List<FileDigest> saved(Execution execution) throws InterruptedException {
        folders++;
        return execution.download(folder.resolve("result" + folders)).stream().map(ResultFile::digest).toList();
    }

    private static String swapped(String address) {
        if (!address.contains("/download/")) {
            return address;
        }
        return address.endsWith("/0") ? address.replaceFirst("/0$", "/1") : address.replaceFirst("/1$", "/0");
    }

    private static JsonObject withSwappedNames(JsonObject truth) {
        List<JsonValue> files = new ArrayList<>(((JsonArray) truth.get("files")).items());
        JsonObject one = (JsonObject) files.get(0);
        JsonObject two = (JsonObject) files.get(1);
        files.set(0, one.with("name", two.get("name")));
        files.set(1, two.with("name", one.get("name")));
        return truth.with("files", new JsonArray(files));
    }

    private static JsonObject outside(JsonObject truth) {
        List<JsonValue> files = new ArrayList<>(((JsonArray) truth.get("files")).items());
        files.set(1, ((JsonObject) files.get(1)).with("name", Json.of("../../outside")));
        return truth.with("files", new JsonArray(files));
    }
}
