import insitu.InsituException;
import insitu.client.AssetStatus;
import insitu.client.Client;
import insitu.client.Insitu;
import insitu.client.Search;
import insitu.client.SearchPage;
import insitu.domain.Address;
import insitu.domain.LocalSigner;
import insitu.json.Json;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/** Prints what a catalogue finds, as JSON. */
final class Finds {
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
            Map<String, Object> told = Map.of(
                    "found", found.results().stream().map(one -> one.get("id")).toList(),
                    "total", found.totalResults(),
                    "pages", List.of(found.page(), found.totalPages()),
                    "others", others,
                    "facets", client.assets().facets(every),
                    "summaries", client.assets().summaries(List.of(did, "did:nv:" + "0".repeat(64))),
                    "status", List.of(status.did(), status.state(), status.checksum()),
                    "refused", code(() -> client.assets().search(every.sort("taste"))),
                    "unknown", code(() -> client.assets().status("did:nv:" + "0".repeat(64))));
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
