package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import insitu.ErrorCode;
import insitu.domain.Address;
import insitu.domain.Ddo;
import insitu.domain.Did;
import insitu.domain.Signatures;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.json.JsonValue;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

final class DocumentVectorsTest {
    @TestFactory
    Stream<DynamicTest> documentsAreProvedByTheirDidChecksumAndSignature() {
        return Vector.each(Vector.read("documents"), one -> one.at("name").text(), one -> {
            Ddo ddo = Ddo.read(one.at("document").object());
            Address creator = one.at("creator").address();
            assertEquals(one.at("seed").text(), Bytes.digits(Did.seed(ddo.origin())));
            assertEquals(ddo.id(), Did.derive(ddo.origin(), creator).text());
            assertEquals(ddo.proof().checksum(), ddo.serviceChecksums());
            assertEquals(creator, ddo.creator());
            assertEquals(one.at("checksum").text(), ddo.onchainChecksum());
            assertEquals(one.at("digest").text(), Bytes.digits(ddo.signed().digest()));
            assertEquals(
                    creator,
                    Signatures.recover(ddo.signed().digest(), ddo.signed().signature()));
            ddo.requireChecksum("0x" + one.at("checksum").text().toUpperCase(Locale.ROOT));
            assertEquals(one.at("document").object(), ddo.json());
        });
    }

    @TestFactory
    Stream<DynamicTest> aChangedDocumentIsNoticedAndItsCurationIsNot() {
        return Vector.each(Vector.read("documents"), one -> one.at("name").text(), one -> {
            JsonObject json = one.at("document").object();
            String checksum = one.at("checksum").text();
            Ddo later = Ddo.read(json.with("created", Json.of("2020-01-01T00:00:00Z")));
            refuses(ErrorCode.ChecksumMismatch, () -> later.requireChecksum(checksum));
            Ddo.read(json.with("curation", Json.of(1))).requireChecksum(checksum);
            JsonValue changed = Vector.patched(
                    json,
                    patch("[{\"op\":\"replace\",\"path\":\"/service/0/attributes/main/price\",\"value\":\"1\"}]"));
            var refusal =
                    refuses(ErrorCode.ChecksumMismatch, () -> Ddo.read(changed).creator());
            assertEquals("/proof/checksum/0", refusal.pointer().orElse(""));
        });
    }

    private static Place patch(String json) {
        return Place.of(Json.read(json));
    }
}
