package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import insitu.ErrorCode;
import insitu.domain.KeyFiles;
import insitu.domain.LocalSigner;
import insitu.internal.Place;
import insitu.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

final class KeyFileVectorsTest {
    @TempDir
    private Path folder;

    @TestFactory
    Stream<DynamicTest> opened() {
        return Vector.each(vector().at("opened"), one -> one.at("name").text(), one -> {
            LocalSigner signer = KeyFiles.open(stored(one), one.at("password").text());
            assertEquals(one.at("address").text(), signer.address().text());
            assertArrayEquals(LocalSigner.of(one.at("key").text()).signText("x"), signer.signText("x"));
        });
    }

    @TestFactory
    Stream<DynamicTest> refused() {
        return Vector.each(vector().at("refused"), one -> one.at("name").text(), one -> {
            String password = one.at("password").text();
            var refusal = refuses(one.at("code").text(), () -> KeyFiles.open(stored(one), password));
            assertFalse(refusal.getMessage().contains(password));
        });
    }

    @Test
    void aFileThatIsNotThereOrNotJsonIsRefused() throws IOException {
        refuses(ErrorCode.KeyNotFound, () -> KeyFiles.open(folder.resolve("none"), "x"));
        Path path = Files.writeString(folder.resolve("text"), "no");
        refuses(ErrorCode.KeyInvalid, () -> KeyFiles.open(path, "x"));
    }

    private Path stored(Place one) {
        try {
            return Files.write(
                    folder.resolve("key.json"), Json.canonical(one.at("file").value()));
        } catch (IOException cause) {
            throw new UncheckedIOException(cause);
        }
    }

    private static Place vector() {
        return Vector.read("keystore", "opened", "refused");
    }
}
