import insitu.InsituException;
import insitu.receipt.Receipts;
import insitu.receipt.VerifiedReceipt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Checks a receipt without a client, a key or a chain: {@code java -cp … VerifyReceipt.java receipt.json}. */
final class VerifyReceipt {
    public static void main(String[] arguments) throws IOException {
        byte[] envelope = Files.readAllBytes(Path.of(arguments[0]));
        try {
            VerifiedReceipt receipt = Receipts.verify(envelope);
            var predicate = receipt.statement().predicate();
            System.out.printf("%s %s%n", predicate.workflowExecutionId(), predicate.outcome());
            System.out.printf("signed by %s%n", receipt.signer());
            System.out.printf("charged %s base units%n", predicate.charge().amount());
            receipt.checked().forEach(check -> System.out.println("  " + check));
        } catch (InsituException refusal) {
            System.out.println(refusal.getMessage());
            System.out.println(refusal.nextStep());
        }
    }
}
