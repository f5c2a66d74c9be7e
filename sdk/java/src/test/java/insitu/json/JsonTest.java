package insitu.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import insitu.ErrorCode;
import insitu.InsituException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class JsonTest {
    @Test
    void textThatNestsAHundredThousandLevelsDeepIsRefused() {
        refuses(() -> Json.read("[".repeat(100_000) + "]".repeat(100_000)));
    }

    @Test
    void aValueThatAProgramNestedTooDeepHasNoCanonicalForm() {
        JsonValue value = JsonNull.NULL;
        for (int level = 0; level < 70; level++) {
            value = new JsonArray(List.of(value));
        }
        JsonValue deep = value;
        refuses(() -> Json.canonical(deep));
    }

    @Test
    void bytesThatAreNotUtf8AreRefused() {
        refuses(() -> Json.read(new byte[] {'"', (byte) 0xff, '"'}));
        refuses(() -> Json.read("\ufeff{}".getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void whatIsNotJsonIsRefused() {
        String[] wrong = {"", " ", "{", "[1", "[1 2]", "{\"a\"}", "{\"a\":1,}", "tru", "+1", "1.", ".5", "1e", "\"\\x\""
        };
        for (String text : wrong) {
            refuses(() -> Json.read(text));
        }
    }

    @Test
    void numbersBeyondTheLimitAreRefusedHoweverTheyAreMade() {
        refuses(() -> Json.of(1L << 53));
        refuses(() -> Json.of(Double.NaN));
        refuses(() -> Json.of(Double.POSITIVE_INFINITY));
        assertThrows(IllegalArgumentException.class, () -> Json.of(BigInteger.ONE), "amounts are written as text");
    }

    @Test
    void aLoneSurrogateIsRefusedHoweverItIsMade() {
        refuses(() -> Json.of("\ud800"));
        refuses(() -> Json.of(Map.of("\udc00\ud800", 1)));
    }

    @Test
    void anUnknownMemberSurvivesReadingAndWriting() {
        JsonObject read = (JsonObject) Json.read("{\"z\":null,\"a\":{\"new\":[1.5,true]}}");
        assertEquals("{\"a\":{\"new\":[1.5,true]},\"z\":null}", Json.text(read));
        assertEquals(List.of("z", "a"), List.copyOf(read.members().keySet()));
    }

    @Test
    void everyNumberIsWrittenWithTheFewestDigitsThatReadBack() {
        Random random = new Random(7);
        for (int count = 0; count < 20_000; count++) {
            double value = Double.longBitsToDouble(random.nextLong());
            if (JsonNumber.fits(value)) {
                String text = Json.text(new JsonNumber(value));
                assertEquals(value, Double.parseDouble(text), text);
            }
        }
    }

    private static void refuses(Executable act) {
        assertEquals(
                ErrorCode.InvalidDocument,
                assertThrows(InsituException.class, act).code());
    }
}
