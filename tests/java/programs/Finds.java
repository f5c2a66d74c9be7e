import insitu.InsituException;
import insitu.client.AssetStatus;
import insitu.client.Client;
import insitu.client.Insitu;
import insitu.client.ResolvedAsset;
import insitu.client.Search;
import insitu.client.SearchPage;
import insitu.domain.Address;
import insitu.domain.LocalSigner;
import insitu.json.Json;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Prints what a catalogue finds, as JSON. */
final class Finds {
    private static final String NONE = "did:nv:" + "0".repeat(64);

    public static void main(String[] arguments) throws InterruptedException {
        String did = arguments[1];
        Search every = Search.of("words")
                .type("dataset")
                .service("compute")
                .tag("spoken")
                .category("text")
                .author("somebody")
                .owner(new Address(arguments[2]))
                .license("CC0")
                .mayRun("any")
                .mayLeave("any file")
                .state("listed")
                .priceMin(BigInteger.TEN)
                .priceMax(BigInteger.TEN)
                .sort("date")
                .descending(false)
                .page(1)
                .offset(5);
        List<Search> none = List.of(
                every.type("workflow"),
                every.service("access"),
                every.tag("written"),
                every.category("sound"),
                every.author("nobody"),
                every.owner(new Address("0x" + "11".repeat(20))),
                every.license("MIT"),
                every.mayRun("nothing"),
                every.mayLeave("no file"),
                every.state("retired"),
                every.priceMin(BigInteger.valueOf(11)),
                every.priceMax(BigInteger.valueOf(9)));
        try (Client client = Insitu.connect(arguments[0], LocalSigner.of("07".repeat(32)))) {
            SearchPage found = client.assets().search(every);
            AssetStatus status = client.assets().status(did);
            long others = 0;
            for (Search search : none) {
                others += client.assets().search(search).totalResults();
            }
            ResolvedAsset shown = client.assets().show(did);
            Map<String, Object> told = new LinkedHashMap<>();
            told.put("shown", List.of(shown.did(), shown.checksum(), shown.record().owner().text(), shown.creator().text()));
            told.put("version", shown.record().current().version());
            told.put("found", found.results().stream().map(one -> one.get("id")).toList());
            told.put("total", found.totalResults());
            told.put("pages", List.of(found.page(), found.totalPages()));
            told.put("others", others);
            told.put("facets", client.assets().facets(every));
            told.put("summaries", client.assets().summaries(List.of(did, NONE)));
            told.put("status", List.of(status.did(), status.state(), status.checksum()));
            told.put("refused", code(() -> client.assets().search(every.sort("taste"))));
            told.put("unregistered", code(() -> client.assets().resolve(NONE)));
            told.put("unknown", code(() -> client.assets().status(NONE)));
            System.out.println(Json.text(Json.objectOf(told)));
        }
    }

    private interface Act {
        void run() throws InterruptedException;
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
