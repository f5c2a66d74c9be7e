import insitu.InsituException;
import insitu.json.Json;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Prints the canonical form of each line of a file, or the code with which it is refused. */
final class Canonical {
    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            try {
                out.println(Json.text(Json.read(line)));
            } catch (InsituException refusal) {
                out.println(refusal.code());
            }
        }
        out.flush();
    }
}
