import insitu.client.Agreement;
import insitu.client.BuyOptions;
import insitu.client.Client;
import insitu.client.Insitu;
import insitu.domain.LocalSigner;

/** Buys by a seed, and is killed after the server has the purchase and before it hears of that, if it is told so. */
final class Dies {
    public static void main(String[] arguments) throws Exception {
        LyingProxy.start();
        boolean isOwn = arguments[5].equals("own");
        if (arguments[6].equals("killed")) {
            LyingProxy.killed = (path, question) ->
                    isOwn ? question.contains("eth_sendRawTransaction") : path.endsWith("/agreements");
        }
        Insitu.Builder builder = Insitu.at(arguments[0], LocalSigner.of(arguments[1]));
        try (Client client = (isOwn ? builder.node(arguments[2]) : builder).connect()) {
            BuyOptions how = BuyOptions.NONE.seed(arguments[4]).relay(isOwn ? BuyOptions.Relay.NEVER : BuyOptions.Relay.ALWAYS);
            Agreement bought = client.agreements().buy(arguments[3], how);
            System.out.println(bought.id() + " " + bought.status());
        }
    }
}
