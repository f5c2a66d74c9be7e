package insitu.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.ErrorCode;
import insitu.ErrorDefinition;
import insitu.InsituException;
import insitu.internal.Place;
import java.lang.reflect.Field;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class ErrorCodeVectorsTest {
    @Test
    void everyCodeHasItsClassAndItsStatus() {
        Map<String, String> expected = new TreeMap<>();
        vector().at("codes")
                .map(row -> row)
                .forEach((code, row) -> expected.put(
                        code, row.at("class").text() + " " + row.at("status").count()));
        Map<String, String> found = new TreeMap<>();
        ErrorDefinition.all().forEach((code, row) -> found.put(code, row.kind() + " " + row.status()));
        assertEquals(expected, found);
    }

    @Test
    void aConstantIsCalledAsItsCode() throws IllegalAccessException {
        TreeSet<String> constants = new TreeSet<>();
        for (Field field : ErrorCode.class.getFields()) {
            assertEquals(field.getName(), field.get(null));
            constants.add(field.getName());
        }
        assertEquals(new TreeSet<>(ErrorDefinition.all().keySet()), constants);
    }

    @Test
    void removedCodesAreNotUsedAgain() {
        vector().at("removed")
                .list(Place::text)
                .forEach(code -> assertFalse(ErrorDefinition.all().containsKey(code)));
    }

    @Test
    void anErrorSaysItsCodeWhatToDoNextAndWhetherWaitingHelps() {
        InsituException error = new InsituException(ErrorCode.PeerUnavailable, "nobody answers");
        assertEquals("PeerUnavailable: nobody answers", error.getMessage());
        assertTrue(error.retry());
        assertFalse(error.nextStep().isEmpty());
    }

    @Test
    void aCodeOfANewerServerIsKeptAsItCame() {
        InsituException error = new InsituException("MoonIsFull", "come back later");
        assertEquals("MoonIsFull", error.code());
        assertEquals("Failure", error.kind());
    }

    private static Place vector() {
        return Vector.read("error-codes", "codes", "removed");
    }
}
