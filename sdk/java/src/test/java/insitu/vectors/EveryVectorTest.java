package insitu.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class EveryVectorTest {
    @Test
    void aTestReadsEveryVector() throws IOException {
        String tests;
        try (Stream<Path> sources = Files.list(Path.of("src/test/java/insitu/vectors"))) {
            tests = sources.map(EveryVectorTest::text).collect(Collectors.joining());
        }
        TreeSet<String> unread = new TreeSet<>();
        for (String name : names()) {
            if (!Pattern.compile("(?:read|bytes)\\(\\s*\"" + name + "\"")
                    .matcher(tests)
                    .find()) {
                unread.add(name);
            }
        }
        assertEquals(Set.of(), unread);
    }

    private static List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(Vector.FOLDER)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".json"))
                    .map(name -> name.replace(".json", ""))
                    .toList();
        }
    }

    private static String text(Path source) {
        try {
            return Files.readString(source);
        } catch (IOException cause) {
            throw new UncheckedIOException(cause);
        }
    }
}
