import insitu.InsituException;
import insitu.client.About;
import insitu.client.Client;
import insitu.client.DataFiles;
import insitu.client.Insitu;
import insitu.client.PublishedAsset;
import insitu.client.ResolvedAsset;
import insitu.client.Search;
import insitu.domain.Address;
import insitu.domain.LocalSigner;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.rules.ComputeOffer;
import insitu.rules.WorkflowStage;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Publishes, changes, retires and gives away, and prints what became of it as JSON. */
final class Publishes {
    private interface Act {
        void run() throws InterruptedException;
    }

    public static void main(String[] arguments) throws InterruptedException {
        String url = arguments[0];
        LocalSigner owner = LocalSigner.of(arguments[1]);
        String words = arguments[2];
        Path script = Path.of(arguments[3]);
        Map<String, Object> told = new LinkedHashMap<>();
        try (Client client = Insitu.connect(url, owner)) {
            ComputeOffer offer = client.assets().offer(BigInteger.TEN);
            PublishedAsset data = publishData(client, words, offer);
            PublishedAsset algorithm = publishAlgorithm(client, script);
            WorkflowStage stage = WorkflowStage.of(
                    algorithm.did(),
                    algorithm.checksum(),
                    List.of(new WorkflowStage.DataSet(data.did())),
                    offer.containers().get(0));
            PublishedAsset workflow = client.assets().publishWorkflow("flow of java", List.of(stage), About.NOTHING);
            told.put("dids", List.of(data.did(), algorithm.did(), workflow.did()));
            told.put("new", List.of(data.isReused(), algorithm.isReused(), workflow.isReused()));
            told.put("document", Json.text(data.asset().ddo().json()));
            told.put("invalid", code(() -> client.assets().registerAsset(JsonObject.EMPTY, List.of())));
            told.put("foreign", code(() -> client.assets().setListed(arguments[4], false)));
            told.put("stranger", code(() -> client.assets().updateAsset(arguments[4], JsonObject.EMPTY, List.of())));
        }
        try (Client client = Insitu.connect(url, owner)) {
            ComputeOffer offer = client.assets().offer(BigInteger.TEN);
            PublishedAsset data = publishData(client, words, offer);
            PublishedAsset algorithm = publishAlgorithm(client, script);
            told.put("again", List.of(data.did(), algorithm.did()));
            told.put("reused", List.of(data.isReused(), algorithm.isReused()));
            JsonObject price = Json.objectOf(
                    Map.of("type", "compute", "attributes", Map.of("main", Map.of("price", "12", "timeout", 3600))));
            ResolvedAsset second = client.assets().updateAsset(data.did(), JsonObject.EMPTY, List.of(price));
            ResolvedAsset same = client.assets().updateAsset(data.did(), JsonObject.EMPTY, List.of(price));
            told.put("versions", List.of(second.record().current().version(), same.record().current().version()));
            told.put("unlisted", client.assets().setListed(data.did(), false).state());
            told.put("found", client.assets().search(Search.of("spoken by java")).totalResults());
            told.put("listed", client.assets().setListed(data.did(), true).state());
            told.put("retired", client.assets().retire(data.did()).state());
            told.put("third", client.assets().relist(data.did()).record().current().version());
            Address other = new Address("0x" + "22".repeat(20));
            String workflow = ((List<?>) told.get("dids")).get(2).toString();
            client.assets().transfer(workflow, other);
            told.put("given", client.assets().owner(workflow).equals(other));
        }
        System.out.println(Json.text(Json.objectOf(told)));
    }

    private static PublishedAsset publishData(Client client, String words, ComputeOffer offer)
            throws InterruptedException {
        return client.assets().publishDataset("words of java", List.of(words), offer, About.of("spoken by java"));
    }

    private static PublishedAsset publishAlgorithm(Client client, Path script) throws InterruptedException {
        return client.assets().publishAlgorithm("algorithm of java", DataFiles.contents(script), null, About.NOTHING);
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
