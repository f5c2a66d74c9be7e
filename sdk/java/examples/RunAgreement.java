import insitu.client.Client;
import insitu.client.Execution;
import insitu.client.ExecutionView;
import insitu.client.Insitu;
import insitu.domain.LocalSigner;
import insitu.receipt.Receipts;
import insitu.receipt.VerifiedReceipt;
import java.nio.file.Path;

/**
 * Runs a bought agreement, saves its result and checks the receipt. The name of the run comes from your scheduler: when a task
 * is tried again, it finds the execution that was started first.
 *
 * <p>{@code KEY=<64 digits> java -cp … RunAgreement.java http://127.0.0.1:8030 <agreement> <run> <folder>}
 */
final class RunAgreement {
    public static void main(String[] arguments) throws InterruptedException {
        LocalSigner account = LocalSigner.of(System.getenv("KEY"));
        try (Client client = Insitu.connect(arguments[0], account)) {
            Execution execution = client.compute().execute(arguments[1], arguments[2]);
            ExecutionView ended = execution.follow(happened -> System.out.print(happened.text()));
            System.out.printf("%s %s%n", execution.id(), ended.phase());
            if (!ended.phase().equals("Succeeded")) {
                System.out.println(ended.reason().orElse("nobody says why"));
                return;
            }
            var files = execution.download(Path.of(arguments[3]));
            VerifiedReceipt receipt = Receipts.verify(execution.receipt());
            receipt.requireFiles(files.stream().map(file -> file.digest()).toList());
            System.out.println("the files are those of the receipt");
        }
    }
}
