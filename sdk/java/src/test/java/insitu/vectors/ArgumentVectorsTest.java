package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import insitu.ErrorCode;
import insitu.domain.Algorithm;
import insitu.internal.Place;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class ArgumentVectorsTest {
    @TestFactory
    Stream<DynamicTest> aStageIsStartedWithTheArgumentsOfTheVectors() {
        return Vector.each(
                Vector.read("arguments"),
                one -> "the entrypoint " + one.at("entrypoint").text(),
                one -> assertEquals(
                        one.at("argv").list(Place::text),
                        Algorithm.argumentVector(
                                one.at("entrypoint").text(),
                                one.at("files").list(Place::text),
                                (int) one.at("inputs").count(),
                                one.at("configuration").object().members())));
    }

    @Test
    void quotesAndEscapesGroupWordsAsInAPosixShell() {
        assertEquals(List.of("ab cd e f", "\"\\n", ""), Algorithm.splitEntrypoint("a\"b c\"'d e'\\ f \"\\\"\\n\" ''"));
    }

    @TestFactory
    Stream<DynamicTest> whatCannotBeStartedIsRefused() {
        return Stream.of(
                        "python 'x",
                        "python \"x",
                        "python \\",
                        "",
                        "  ",
                        "a\0b",
                        "x".repeat(5000),
                        "'a' ".repeat(1000) + "'")
                .map(entrypoint -> DynamicTest.dynamicTest(
                        "refused: " + entrypoint.length(),
                        () -> refuses(
                                ErrorCode.InvalidDocument,
                                () -> Algorithm.argumentVector(entrypoint, List.of(), 1, Map.of()))));
    }
}
