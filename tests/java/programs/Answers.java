import insitu.InsituException;
import insitu.client.Client;
import insitu.client.Insitu;
import insitu.domain.LocalSigner;
import java.nio.file.Path;

/** Prints what a gateway answers to somebody who does what is not allowed. */
final class Answers {
    private interface Act {
        void run() throws InterruptedException;
    }

    public static void main(String[] arguments) throws InterruptedException {
        String agreement = arguments[2];
        String execution = arguments[3];
        Path folder = Path.of(arguments[4]);
        try (Client client = Insitu.connect(arguments[0], LocalSigner.of(arguments[1]))) {
            var found = client.compute().execution(agreement, execution);
            tell("full", () -> found.download(folder));
            tell("unknown", () -> client.compute().execute("00".repeat(32), "run"));
            tell("stopped", () -> System.out.println("phase " + found.stop().phase()));
            client.signOut();
            tell("again", () -> System.out.println("phase " + found.status().phase()));
        }
        try (Client stranger = Insitu.connect(arguments[0], LocalSigner.of("07".repeat(32)))) {
            tell("stranger", () -> stranger.compute().execution(agreement, execution).status());
        }
    }

    private static void tell(String name, Act act) throws InterruptedException {
        try {
            act.run();
            System.out.println(name + " ok");
        } catch (InsituException refusal) {
            System.out.println(name + " " + refusal.code());
        }
    }
}
