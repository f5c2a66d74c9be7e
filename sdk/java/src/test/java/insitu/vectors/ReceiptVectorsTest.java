package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.ErrorCode;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import insitu.receipt.Check;
import insitu.receipt.Envelope;
import insitu.receipt.Opening;
import insitu.receipt.Receipts;
import insitu.receipt.VerifiedReceipt;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

final class ReceiptVectorsTest {
    @TestFactory
    Stream<DynamicTest> receipts() {
        return Vector.each(Vector.read("receipt"), one -> one.at("name").text(), one -> {
            byte[] payload = Bytes.utf8(one.at("payload").text());
            byte[] json = Json.canonical(one.at("envelope").object());
            Envelope envelope = Envelope.read(json);
            assertEquals(envelope, Envelope.read(envelope.json()));
            assertEquals(one.at("payload").text(), new String(envelope.bytes(), StandardCharsets.UTF_8));
            assertEquals(one.at("digest").text(), Bytes.digits(envelope.digest()));
            assertEquals(one.at("receiptHash").text(), Receipts.hash(payload));
            if (!Vector.isNull(one.at("refused"))) {
                String detail = refuses(ErrorCode.ReceiptInvalid, () -> Receipts.verify(json))
                        .detail();
                assertTrue(detail.contains(one.at("refused").text()), detail);
                return;
            }
            VerifiedReceipt found = Receipts.verify(json);
            assertEquals(one.at("receiptHash").text(), found.receiptHash());
            assertEquals(one.at("signer").text(), found.signer().text());
            assertTrue(found.statement().predicateType().endsWith(one.at("form").text()));
            assertTrue(found.checked().size() >= 9);
        });
    }

    @TestFactory
    Stream<DynamicTest> anythingElseIsRefused() {
        JsonObject envelope =
                Vector.items(Vector.read("receipt")).get(0).at("envelope").object();
        String payload = Place.of(envelope).at("payload").text();
        byte[] longer = Bytes.concat(Base64.getDecoder().decode(payload), new byte[] {' '});
        JsonValue signature = Place.of(envelope)
                .at("signatures")
                .list(Place::object)
                .get(0)
                .with("keyid", Json.of("0x" + "11".repeat(20)));
        return Map.<String, JsonValue>of(
                        "another type of payload", envelope.with("payloadType", Json.of("text/plain")),
                        "a payload with a blank more",
                                envelope.with(
                                        "payload", Json.of(Base64.getEncoder().encodeToString(longer))),
                        "a payload that is not base64", envelope.with("payload", Json.of("?")),
                        "no signature", envelope.with("signatures", Json.of(List.of())),
                        "another name for the signer", envelope.with("signatures", Json.of(List.of(signature))),
                        "something else", Json.of(7))
                .entrySet()
                .stream()
                .map(wrong -> DynamicTest.dynamicTest(
                        wrong.getKey(),
                        () -> refuses(
                                ErrorCode.ReceiptInvalid, () -> Receipts.verify(Json.canonical(wrong.getValue())))));
    }

    @TestFactory
    Stream<DynamicTest> openings() {
        Place vector = openingsVector();
        return Vector.each(vector.at("openings"), one -> one.at("name").text(), one -> {
            JsonValue shown = Vector.patched(vector.at("opening").object(), one.at("patch"));
            VerifiedReceipt receipt = verified(vector, one.at("receipt").text());
            List<Check> checks = Opening.read(shown).checks(receipt.statement().predicate());
            assertEquals(
                    one.at("holds").list(Place::flag),
                    checks.stream().map(Check::holds).toList());
        });
    }

    @TestFactory
    Stream<DynamicTest> settlements() {
        Place vector = openingsVector();
        return Vector.each(vector.at("settlements"), one -> one.at("name").text(), one -> {
            Place signed = one.at("settlement");
            List<Check> checks = Opening.ofSettlement(
                    verified(vector, "open"),
                    SignatureVectorsTest.termsOf(signed.at("terms")),
                    SignatureVectorsTest.settlementOf(signed.at("settlement")),
                    signed.at("signature").text());
            assertEquals(
                    one.at("holds").list(Place::flag),
                    checks.stream().map(Check::holds).toList());
        });
    }

    private static VerifiedReceipt verified(Place vector, String name) {
        return Receipts.verify(Envelope.read(vector.at("receipts").at(name).object()));
    }

    private static Place openingsVector() {
        return Vector.read("openings", "receipts", "opening", "openings", "settlements");
    }
}
