import insitu.InsituException;
import insitu.client.Client;
import insitu.client.Insitu;
import insitu.domain.LocalSigner;

/** Sends the money of an agreement back that has timed out, twice. */
final class Refunds {
    public static void main(String[] arguments) throws InterruptedException {
        LocalSigner key = LocalSigner.of(arguments[1]);
        try (Client client = Insitu.at(arguments[0], key).node(arguments[2]).connect()) {
            System.out.println(client.agreements().refund(arguments[3]).status());
            client.agreements().refund(arguments[3]);
        } catch (InsituException refusal) {
            System.out.println(refusal.code());
        }
    }
}
