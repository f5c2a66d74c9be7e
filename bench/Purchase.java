import insitu.client.Client;
import insitu.client.Execution;
import insitu.client.Insitu;
import insitu.client.ResultFile;
import insitu.domain.LocalSigner;
import insitu.receipt.Receipts;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Buys, executes, downloads and verifies once for each line that it reads, and prints the milliseconds that it took beside the
 * execution.
 */
final class Purchase {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        LocalSigner account = LocalSigner.of(arguments[1]);
        try (Client client = Insitu.at(arguments[0], account).node(arguments[2]).connect()) {
            System.out.println("ready");
            for (String folder = lines.readLine(); folder != null; folder = lines.readLine()) {
                long began = System.nanoTime();
                String agreement = client.agreements().buy(arguments[3]).id().text();
                Execution execution = client.compute().execute(agreement, folder);
                long started = System.nanoTime();
                execution.waitUntilEnded();
                began += System.nanoTime() - started; // that is the provider's time
                var files = execution.download(Path.of(folder));
                Receipts.verify(execution.receipt())
                        .requireFiles(files.stream().map(ResultFile::digest).toList());
                System.out.println((System.nanoTime() - began) / 1e6);
            }
        }
    }
}
