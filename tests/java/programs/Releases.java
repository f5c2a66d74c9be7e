import insitu.InsituException;
import insitu.client.Client;
import insitu.client.Execution;
import insitu.client.Insitu;
import insitu.domain.LocalSigner;
import insitu.json.JsonObject;

/** Starts an execution whose provider cannot pay for its release, releases the payment itself, and again. */
final class Releases {
    public static void main(String[] arguments) throws InterruptedException {
        LocalSigner key = LocalSigner.of(arguments[1]);
        try (Client client = Insitu.at(arguments[0], key).node(arguments[2]).connect()) {
            Execution execution = client.compute().execute(arguments[3], "release");
            JsonObject receipt = receipt(execution);
            client.agreements().release(receipt);
            System.out.println(execution.id() + " released");
            client.agreements().release(receipt);
        } catch (InsituException refusal) {
            System.out.println(refusal.code());
        }
    }

    private static JsonObject receipt(Execution execution) throws InterruptedException {
        while (true) {
            try {
                return execution.receiptView();
            } catch (InsituException refusal) {
                if (!refusal.code().equals("ExecutionNotEnded")) {
                    throw refusal;
                }
                Thread.sleep(50);
            }
        }
    }
}
