package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.Ddo;
import insitu.domain.Signatures;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonNull;
import insitu.json.JsonObject;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import insitu.rules.Description;
import insitu.rules.UnsignedDdo;
import insitu.rules.Versions;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

final class PublicationVectorsTest {
    /** Stands in the vector for text with a lone surrogate, which no JSON of this SDK can have. */
    private static final String NO_TEXT = "a lone surrogate";

    private static final Place DESCRIBED = described();
    private static final Place VERSIONS = Vector.read("versions", "templates", "cases");
    private static final Place CHANGES = Vector.read("version-changes", "before", "cases");

    @TestFactory
    Stream<DynamicTest> aDescriptionIsCompletedToTheServicesOfADocument() {
        return Vector.each(
                DESCRIBED.at("described"),
                one -> one.at("name").text(),
                one -> assertEquals(one.at("service").list(Place::object), complete(one)));
    }

    @TestFactory
    Stream<DynamicTest> aDescriptionOfSomethingElseIsRefused() {
        return Vector.each(DESCRIBED.at("refused"), one -> one.at("name").text(), one -> {
            if (one.at("assetMetadata").object().members().containsValue(new JsonString(NO_TEXT))) {
                refuses(one.at("code").text(), () -> Json.of("\ud800"));
                return;
            }
            InsituException refusal = refuses(one.at("code").text(), () -> complete(one));
            assertEquals(one.at("pointer").text(), refusal.pointer().orElse(""));
        });
    }

    @TestFactory
    Stream<DynamicTest> aDocumentIsPutTogetherFromItsServicesAsItsCreatorDidIt() {
        return Vector.each(Vector.read("documents"), one -> one.at("name").text(), one -> {
            Ddo ddo = Ddo.read(one.at("document").object());
            Address creator = one.at("creator").address();
            List<JsonObject> services = ddo.services().stream()
                    .map(Ddo.Service::json)
                    .map(service -> withPlaceholder(service, ddo.id()))
                    .toList();
            UnsignedDdo made = UnsignedDdo.assemble(services, creator, String.valueOf(ddo.created()), creator, null);
            assertEquals(UnsignedDdo.unsignedAgain(ddo), made);
            assertEquals("0x" + one.at("seed").text(), made.seed());
            assertEquals(one.at("checksum").text(), made.checksum());
            assertEquals(Set.of("request"), added(made.json(), made.provedBy(JsonObject.EMPTY)));
            assertTrue(UnsignedDdo.isSignedBy(ddo, creator));
            assertFalse(UnsignedDdo.isSignedBy(Ddo.read(made.json()), creator));
        });
    }

    @TestFactory
    Stream<DynamicTest> aVersionChangesWhatAVersionMay() {
        return Vector.each(VERSIONS.at("cases"), one -> one.at("name").text(), one -> {
            if (Vector.isNull(one.at("code"))) {
                accept(one);
                return;
            }
            InsituException refusal = refuses(one.at("code").text(), () -> accept(one));
            assertEquals(
                    one.at("pointer").optional(Place::text), refusal.pointer().orElse(null));
        });
    }

    @TestFactory
    Stream<DynamicTest> aNewVersionIsMadeOfTheOneBefore() {
        Stream<Place> later = Vector.items(VERSIONS.at("cases")).stream()
                .filter(one -> Vector.isNull(one.at("code")) && !Vector.isNull(one.at("before")));
        return later.map(one -> DynamicTest.dynamicTest(one.at("name").text(), () -> {
            Ddo after = Ddo.read(one.at("document").object());
            Ddo before = Ddo.read(one.at("before").object());
            Address signer = after.creator();
            List<JsonObject> services =
                    after.services().stream().map(Ddo.Service::json).toList();
            UnsignedDdo made = UnsignedDdo.reviseDdo(before, services, signer, String.valueOf(after.updated()));
            assertEquals(after.creator(), Ddo.read(made.json()).creator());
            assertEquals(after.serviceChecksums(), Ddo.read(made.json()).serviceChecksums());
            assertEquals(after.origin(), Ddo.read(made.json()).origin());
        }));
    }

    @TestFactory
    Stream<DynamicTest> aPersonSeesWhatAVersionChanges() {
        JsonObject before = CHANGES.at("before").object();
        return Vector.each(CHANGES.at("cases"), one -> one.at("name").text(), one -> {
            Ddo after = Ddo.read(Vector.patched(before, one.at("patch")));
            List<JsonObject> told = Versions.changesBetween(Ddo.read(before), after).stream()
                    .map(change -> Json.objectOf(Map.of("service", change.service(), "path", change.path()))
                            .with("before", orNull(change.before()))
                            .with("after", orNull(change.after())))
                    .toList();
            assertEquals(one.at("changes").list(Place::object), told);
        });
    }

    // As a catalogue accepts a version, which knows what is registered and the version before.
    private static void accept(Place one) {
        Ddo ddo = Ddo.read(one.at("document").object());
        Address creator = ddo.creator();
        List<String> registered =
                one.at("registered").list(known -> known.at("checksum").text());
        if (!registered.contains(ddo.onchainChecksum())) {
            Address owner = one.at("owner").optional(Place::address);
            Ddo.Signed signed = ddo.signed();
            if (!Signatures.recover(signed.digest(), signed.signature()).equals(owner == null ? creator : owner)) {
                String code = owner == null ? ErrorCode.SignatureMismatch : ErrorCode.NotOwner;
                throw new InsituException(code, "somebody else signed it");
            }
        }
        Versions.requireNumber(ddo, one.at("number").count());
        JsonObject before = one.at("before").optional(Place::object);
        if (before != null) {
            List<String> templates = VERSIONS.at("templates").list(Place::text);
            Versions.requireAllowedChange(Ddo.read(before), ddo, templates);
        }
    }

    private static List<JsonObject> complete(Place one) {
        Place at = DESCRIBED.at("surroundings");
        Description.Surroundings surroundings = new Description.Surroundings(
                at.at("metadataAddress").text(),
                at.at("gatewayUrl").text(),
                at.at("contract").address(),
                at.at("chainId").count());
        Description description = Description.read(
                one.at("assetMetadata").object(),
                one.at("servicesDescription").orElse(List.of(), list -> list.list(Place::object)));
        return description.completeServices(
                description.files(),
                surroundings,
                at.at("creator").address(),
                at.at("created").text());
    }

    private static Place described() {
        String text = new String(Vector.bytes("completed-services"), StandardCharsets.UTF_8);
        assertTrue(text.contains("\\ud800"));
        return Place.of(Json.read(text.replace("\\ud800", NO_TEXT)));
    }

    private static JsonObject withPlaceholder(JsonObject service, String did) {
        JsonValue endpoint = service.get("serviceEndpoint");
        return endpoint instanceof JsonString text
                ? service.with("serviceEndpoint", Json.of(text.value().replace(did, "{did}")))
                : service;
    }

    private static Set<String> added(JsonObject before, JsonObject after) {
        assertEquals(before.without(Set.of("proof")), after.without(Set.of("proof")));
        JsonObject was = Place.of(before).at("proof").object();
        return Place.of(after)
                .at("proof")
                .object()
                .without(was.members().keySet())
                .members()
                .keySet();
    }

    private static JsonValue orNull(@Nullable JsonValue value) {
        return value == null ? JsonNull.NULL : value;
    }
}
