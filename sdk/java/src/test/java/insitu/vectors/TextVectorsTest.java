package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.ErrorCode;
import insitu.domain.FileTypes;
import insitu.domain.Units;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.rules.MediaTypes;
import insitu.rules.Unseen;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class TextVectorsTest {
    @TestFactory
    Stream<DynamicTest> aFileHasOneMediaTypeEverywhere() {
        return Vector.each(
                Vector.read("media-types"),
                one -> "the name " + one.at("name").text(),
                one -> assertEquals(
                        one.at("mediaType").text(),
                        MediaTypes.mediaType(one.at("name").text())));
    }

    @TestFactory
    Stream<DynamicTest> textShowsWhatCannotBeSeen() {
        return Vector.each(
                unseen().at("texts"),
                one -> one.at("shown").text(),
                one -> assertEquals(one.at("shown").text(), Unseen.visible(raw(one.at("text")), "\n\t")));
    }

    @TestFactory
    Stream<DynamicTest> aNameIsOnOneLineAndCanBeSeen() {
        return Vector.each(
                unseen().at("names"),
                one -> one.at("name").text(),
                one -> assertEquals(
                        one.at("name").text(),
                        Unseen.seenName(Unseen.visible(Unseen.onOneLine(raw(one.at("text"))), ""))
                                .orElse("–")));
    }

    @Test
    void theSameCharactersAreShownByNumberInEveryLanguage() throws NoSuchAlgorithmException {
        List<String> found = IntStream.rangeClosed(0, Character.MAX_CODE_POINT)
                .filter(point ->
                        !Unseen.visible("a" + Character.toString(point), "").equals("a" + Character.toString(point)))
                .mapToObj(Integer::toHexString)
                .toList();
        Place characters = unseen().at("characters");
        assertEquals(characters.at("count").count(), found.size());
        assertEquals(
                characters.at("sha256").text(),
                Bytes.digits(MessageDigest.getInstance("SHA-256").digest(Bytes.utf8(String.join(" ", found)))));
    }

    @TestFactory
    Stream<DynamicTest> typesThatCanBeCheckedAreAllowed() {
        Place types = types();
        Stream<DynamicTest> declared = Vector.each(
                types.at("declared"),
                one -> "the type " + one.text(),
                one -> assertEquals(Optional.empty(), FileTypes.typeProblem(one.text())));
        Stream<DynamicTest> refused = Vector.each(
                types.at("refused"),
                one -> "the type " + one.text(),
                one -> assertFalse(FileTypes.typeProblem(one.text()).isEmpty()));
        return Stream.concat(declared, refused);
    }

    @TestFactory
    Stream<DynamicTest> twoOwnersAllowWhatBothDo() {
        return Vector.each(types().at("common"), one -> one.pointer(), one -> {
            List<List<String>> lists = one.list(list -> list.list(Place::text));
            assertEquals(lists.get(2), FileTypes.commonTypes(lists.get(0), lists.get(1)));
            assertEquals(lists.get(2), FileTypes.commonTypes(lists.get(1), lists.get(0)));
        });
    }

    @TestFactory
    Stream<DynamicTest> aFileLeavesIfItsBytesAreWhatItsSuffixSays() {
        return Vector.each(
                types().at("contents"),
                one -> one.at("name").text() + " under " + one.at("types").list(Place::text),
                one -> assertEquals(
                        one.at("leaves").flag(),
                        FileTypes.mayLeave(
                                one.at("name").text(),
                                Bytes.fromHex(one.at("hex").text()),
                                one.at("types").list(Place::text))));
    }

    @TestFactory
    Stream<DynamicTest> quantitiesAreExact() {
        Place units = Vector.read("units", "bytes", "cores", "notBytes");
        Stream<DynamicTest> bytes = units.at("bytes").object().members().keySet().stream()
                .map(text -> DynamicTest.dynamicTest(
                        text,
                        () -> assertEquals(
                                Long.parseLong(units.at("bytes").at(text).text()), Units.parseBytes(text))));
        Stream<DynamicTest> cores = units.at("cores").object().members().keySet().stream()
                .map(text -> DynamicTest.dynamicTest(
                        text + " cores",
                        () -> assertEquals(units.at("cores").at(text).count(), Units.parseCores(text))));
        Stream<DynamicTest> refused = Vector.each(
                units.at("notBytes"),
                one -> "refused: " + one.text(),
                one -> refuses(ErrorCode.InvalidQuantity, () -> Units.parseBytes(one.text())));
        return Stream.of(bytes, cores, refused).flatMap(tests -> tests);
    }

    private static Place types() {
        return Vector.read("file-types", "declared", "refused", "common", "contents");
    }

    // This SDK refuses JSON with a lone surrogate, so another character stands for it until the text is judged.
    private static Place unseen() {
        String text = new String(Vector.bytes("unseen"), StandardCharsets.UTF_8);
        assertTrue(text.contains("\"\\ud800\""));
        return Place.of(Json.read(text.replace("\"\\ud800\"", "\"\\ue123\"")));
    }

    private static String raw(Place place) {
        return place.text().replace('\ue123', '\ud800');
    }
}
