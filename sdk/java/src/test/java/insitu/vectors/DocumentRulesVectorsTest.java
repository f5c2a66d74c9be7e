package insitu.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.InsituException;
import insitu.domain.Ddo;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonValue;
import insitu.rules.DocumentRules;
import insitu.rules.WorkflowRules;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class DocumentRulesVectorsTest {
    /** Stands for a number beyond 2^53 - 1, which this SDK refuses already when it reads the text of a document. */
    private static final String TOO_LARGE = "\"too large\"";

    private static final Place RULES = rules();

    @TestFactory
    Stream<DynamicTest> documentsThatKeepEveryRuleAreAccepted() {
        return Vector.each(RULES.at("accepted"), one -> one.at("name").text(), DocumentRulesVectorsTest::judge);
    }

    @TestFactory
    Stream<DynamicTest> documentsThatBreakARuleAreRefusedWithAllProblems() {
        return Vector.each(RULES.at("refused"), one -> one.at("name").text(), one -> {
            InsituException refusal = assertThrows(InsituException.class, () -> judge(one));
            assertEquals(one.at("code").text(), refusal.code(), refusal.getMessage());
            assertEquals(
                    one.at("pointer").optional(Place::text), refusal.pointer().orElse(null));
            if (Json.text(one.object()).contains(TOO_LARGE)) {
                return; // the reader of the text names the place, and judges nothing else
            }
            // Each pointer and code once, in the order of their JSON.
            TreeSet<String> places = new TreeSet<>();
            refusal.problems()
                    .forEach(problem -> places.add(Json.text(Json.of(List.of(problem.pointer(), problem.code())))));
            List<String> expected = one.at("problems").list(pair -> Json.text(Json.of(pair.list(Place::text))));
            assertEquals(expected, List.copyOf(places));
        });
    }

    @Test
    void aDocumentWithMoreProblemsThanAreNamedIsRefusedAllTheSame() {
        JsonValue changed = Vector.patched(
                RULES.at("bases").at("dataset").object(),
                Place.of(Json.read("[{\"op\": \"replace\", \"path\": \"/service/0/attributes/main/files\","
                        + " \"value\": [{\"index\": 0}], \"repeated\": 101},"
                        + " {\"op\": \"replace\", \"path\": \"/service/1/attributes/main/provider\", \"value\": 5}]")));
        InsituException refusal =
                assertThrows(InsituException.class, () -> DocumentRules.validateNewDdo(Ddo.read(changed), false));
        assertEquals(100, refusal.problems().size());
    }

    private static Place rules() {
        String text = new String(Vector.bytes("document-rules"), StandardCharsets.UTF_8);
        assertTrue(text.contains("9007199254740992"));
        return Place.of(Json.read(text.replace("9007199254740992", TOO_LARGE)));
    }

    private static void judge(Place one) {
        JsonValue base = RULES.at("bases").at(one.at("base").text()).object();
        String text = Json.text(Vector.patched(base, one.at("patch")));
        JsonValue document = Json.read(text.replace(TOO_LARGE, "9007199254740992"));
        boolean withoutCompute = one.at("withoutCompute").orElse(false, Place::flag);
        if (one.at("planned").orElse(false, Place::flag)) {
            JsonValue workflow = Ddo.read(document).main().get("workflow");
            WorkflowRules.validateWorkflow(workflow, "/workflow", true);
        } else if (one.at("new").orElse(false, Place::flag)) {
            DocumentRules.validateNewDdo(Ddo.read(document), withoutCompute);
        } else {
            DocumentRules.validateDdo(Ddo.read(document), withoutCompute);
        }
    }
}
