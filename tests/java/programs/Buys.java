import insitu.InsituException;
import insitu.client.Agreement;
import insitu.client.BuyOptions;
import insitu.client.Client;
import insitu.client.Closing;
import insitu.client.Execution;
import insitu.client.Insitu;
import insitu.client.Revision;
import insitu.client.Verdict;
import insitu.domain.FileDigest;
import insitu.domain.LocalSigner;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.receipt.Receipts;
import insitu.receipt.VerifiedReceipt;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Buys in both ways, runs, corrects, verifies, closes, and prints what became of it as JSON. */
final class Buys {
    private interface Act {
        void run() throws InterruptedException;
    }

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0];
        LocalSigner key = LocalSigner.of(arguments[1]);
        String node = arguments[2];
        String workflow = arguments[3];
        Path folder = Path.of(arguments[4]);
        Map<String, Object> told = new LinkedHashMap<>();
        try (Client client = Insitu.at(url, key).node(node).connect()) {
            Verdict verdict = client.agreements().check(workflow);
            BigInteger total = verdict.allowed().total();
            told.put("total", total.toString());
            BuyOptions cheaper = BuyOptions.NONE.maxPrice(total.subtract(BigInteger.ONE));
            told.put("dear", code(() -> client.agreements().buy(workflow, cheaper)));

            BuyOptions own = BuyOptions.NONE.seed("ab".repeat(32)).relay(BuyOptions.Relay.NEVER);
            Agreement bought = client.agreements().buy(workflow, own);
            Agreement again = client.agreements().buy(workflow, own);
            told.put("own", List.of(bought.id().text(), bought.status(), again.id().equals(bought.id())));
            told.put("listed", client.agreements().list(1).get(0).id().equals(bought.id()));

            Execution first = client.compute().execute(bought.id().text(), "run-1");
            told.put("bad", first.waitUntilEnded().phase());
            Map<String, byte[]> good = Map.of("run.py", Files.readAllBytes(Path.of(arguments[5])));
            Revision correction = Revision.with("corrected", good);
            Execution second = client.agreements().revise(bought.id().text(), correction, "run-2");
            StringBuilder printed = new StringBuilder();
            told.put("good", second.follow(happened -> printed.append(happened.text())).phase());
            told.put("printed", printed.toString());
            var files = second.download(folder);
            told.put("files", files.stream().map(file -> file.digest().name()).toList());
            VerifiedReceipt receipt = Receipts.verify(second.receipt());
            String root = FileDigest.outputRoot(files.stream().map(file -> file.digest()).toList());
            told.put("proved", receipt.statement().predicate().output().root().equals(root));
            told.put("charge", receipt.statement().predicate().charge().amount().toString());
            told.put("corrected", code(() -> client.agreements().revise(bought.id().text(), correction, "run-3")));
            JsonObject view = second.receiptView();
            told.put("settled", awaitSettled(client, view));
        }
        try (Client client = Insitu.connect(url, key)) {
            BuyOptions relayed = BuyOptions.NONE.seed("cd".repeat(32));
            Agreement bought = client.agreements().buy(workflow, relayed);
            Agreement again = client.agreements().buy(workflow, relayed);
            told.put("relayed", List.of(bought.status(), again.id().equals(bought.id())));
            told.put("unable", code(() -> client.agreements()
                    .buy(workflow, BuyOptions.NONE.relay(BuyOptions.Relay.NEVER))));
            Closing preview = client.agreements().previewClose(bought.id().text());
            told.put("preview", List.of(preview.charge().toString(), preview.returned().toString()));
            Closing closing = client.agreements().close(bought.id().text(), BigInteger.ZERO);
            told.put("closing", closing.returned().toString());
            for (int look = 0; look < 200; look++) {
                if (client.agreements().show(bought.id().text()).state().isClosed()) {
                    told.put("closed", true);
                    break;
                }
                Thread.sleep(50);
            }
            told.put("early", code(() -> client.agreements().refund(bought.id().text())));
            Agreement third = client.agreements().buy(workflow);
            told.put("third", third.id().text());
            told.put("tooEarly", code(() -> client.agreements().refund(third.id().text())));
        }
        System.out.println(Json.text(Json.objectOf(told)));
    }

    private static String awaitSettled(Client client, JsonObject view) throws InterruptedException {
        String code = "";
        for (int look = 0; look < 100 && !code.equals("ExecutionAlreadySettled"); look++) {
            code = code(() -> client.agreements().release(view));
            Thread.sleep(50);
        }
        return code;
    }

    private static String code(Act act) throws InterruptedException {
        try {
            act.run();
            return "ok";
        } catch (InsituException refusal) {
            return refusal.code();
        }
    }
}
