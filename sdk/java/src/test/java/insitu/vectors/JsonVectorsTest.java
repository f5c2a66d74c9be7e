package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import insitu.ErrorCode;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonValue;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

final class JsonVectorsTest {
    @TestFactory
    Stream<DynamicTest> canonicalFormAndHash() {
        return Vector.each(Vector.read("canonical"), one -> one.at("canonical").text(), one -> {
            JsonValue value = one.at("value").value();
            assertEquals(one.at("canonical").text(), Json.text(value));
            assertEquals(one.at("sha3_256").text(), Hashes.checksum(value));
        });
    }

    @TestFactory
    Stream<DynamicTest> textThatReadersDisagreeAboutIsRefused() {
        return Vector.each(
                vector().at("refused"),
                one -> one.at("name").text(),
                one -> refuses(
                        ErrorCode.InvalidDocument,
                        () -> Json.read(one.at("text").text())));
    }

    @TestFactory
    Stream<DynamicTest> numbersWithoutACanonicalFormAreRefusedAtTheirPlace() {
        return Vector.each(
                vector().at("withoutCanonicalForm"), one -> one.at("name").text(), one -> {
                    var refusal = refuses(
                            ErrorCode.InvalidDocument,
                            () -> Json.read(one.at("text").text()));
                    assertEquals(one.at("pointer").text(), refusal.pointer().orElse(""));
                });
    }

    @TestFactory
    Stream<DynamicTest> oddTextIsAccepted() {
        return Vector.each(
                vector().at("accepted"),
                one -> one.at("name").text(),
                one -> Json.canonical(Json.read(one.at("text").text())));
    }

    private static Place vector() {
        return Vector.read("json-text", "refused", "withoutCanonicalForm", "accepted");
    }
}
