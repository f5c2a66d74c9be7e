package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import insitu.ErrorCode;
import insitu.domain.Address;
import insitu.domain.AgreementId;
import insitu.domain.Condition;
import insitu.domain.Did;
import insitu.domain.FileDigest;
import insitu.domain.InputVersion;
import insitu.domain.Money;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.Json;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class IdVectorsTest {
    @TestFactory
    Stream<DynamicTest> validDids() {
        return Vector.each(dids().at("valid"), Place::text, one -> {
            Did did = new Did(one.text());
            assertEquals(did, Did.ofHex(did.hex()));
        });
    }

    @TestFactory
    Stream<DynamicTest> textThatIsNotADid() {
        return Vector.each(dids().at("invalid"), one -> "\"" + one.text() + "\"", one -> {
            assertFalse(Did.isDid(one.text()));
            refuses(ErrorCode.InvalidDid, () -> new Did(one.text()));
        });
    }

    @TestFactory
    Stream<DynamicTest> didsDeriveFromChecksumsAndCreator() {
        return Vector.each(dids().at("derived"), one -> one.at("did").text(), one -> {
            Map<String, String> checksums = one.at("checksums").map(Place::text);
            Address creator = new Address(one.at("creator").text());
            assertEquals(one.at("seed").text(), Bytes.digits(Did.seed(checksums)));
            assertEquals(one.at("did").text(), Did.derive(checksums, creator).text());
        });
    }

    @TestFactory
    Stream<DynamicTest> didsOfTheRegistry() {
        return Vector.each(ids().at("dids"), one -> one.at("did").text(), one -> {
            Address creator = new Address(one.at("creator").text());
            Did did = Did.hash(Bytes.fromHex(one.at("didSeed").text()), creator);
            assertEquals(one.at("did").text(), did.hex());
            assertEquals(creator, new Address(creator.text().toLowerCase(Locale.ROOT)));
            assertEquals(one.at("creator").text(), creator.text());
        });
    }

    @TestFactory
    Stream<DynamicTest> idsOfConditions() {
        return Vector.each(
                ids().at("conditions"),
                one -> one.at("name").text() + " " + one.at("agreementId").text(),
                one -> assertEquals(
                        one.at("conditionId").text(),
                        new AgreementId(one.at("agreementId").text())
                                .condition(
                                        new Address(one.at("verifyingContract").text()),
                                        (int) one.at("condition").count())));
    }

    @TestFactory
    Stream<DynamicTest> conditions() {
        List<Condition> all = new ArrayList<>(Condition.ALL);
        return Vector.each(Vector.read("conditions"), one -> one.at("name").text(), one -> {
            Condition condition = all.remove(0);
            assertEquals(one.at("name").text(), condition.name());
            assertEquals(one.at("signature").text(), condition.signature());
            assertEquals(one.at("selector").text(), Bytes.digits(condition.selector()));
            Address template = new Address(one.at("template").text());
            Address controller = new Address(one.at("controller").text());
            assertEquals(one.at("conditionKey").text(), condition.key(template, controller));
        });
    }

    @TestFactory
    Stream<DynamicTest> rootsOverFiles() {
        return Vector.each(Vector.read("roots"), one -> one.at("root").text(), one -> {
            List<FileDigest> files = one.at("files")
                    .list(file -> new FileDigest(
                            file.at("name").text(),
                            file.at("sha256").text(),
                            Long.parseLong(file.at("size").text())));
            assertEquals(
                    one.at("root").text(),
                    FileDigest.root(files, Bytes.fromHex(one.at("salt").text())));
            List<FileDigest> reversed = new ArrayList<>(files);
            Collections.reverse(reversed);
            assertEquals(FileDigest.outputRoot(files), FileDigest.outputRoot(reversed));
        });
    }

    @Test
    void publishedFilesAreSortedByCodePointsAndNotByUtf16() {
        FileDigest late = new FileDigest("\ud83d\ude00", "00".repeat(32), 1);
        FileDigest early = new FileDigest("\ufb33", "11".repeat(32), 1);
        assertEquals(FileDigest.root(List.of(early, late), new byte[0]), FileDigest.outputRoot(List.of(late, early)));
    }

    @TestFactory
    Stream<DynamicTest> hashesOfInputs() {
        return Vector.each(Vector.read("inputs-hash"), one -> one.at("name").text(), one -> {
            List<InputVersion> versions = one.at("inputs")
                    .list(input -> new InputVersion(
                            input.at("did").text(), input.at("checksum").text()));
            assertEquals(one.at("inputsHash").text(), InputVersion.hash(versions));
            var pairs = versions.stream()
                    .map(version -> List.of(version.did(), Bytes.plainDigits(version.checksum())))
                    .toList();
            assertEquals(one.at("canonical").text(), Json.text(Json.of(pairs)));
        });
    }

    @TestFactory
    Stream<DynamicTest> chargesAreSplit() {
        return Vector.each(
                Vector.read("split"), one -> Json.text(one.at("amounts").value()), one -> {
                    List<BigInteger> amounts = one.at("amounts").list(Place::amount);
                    List<List<BigInteger>> paid = one.at("paid").list(slice -> slice.list(Place::amount));
                    BigInteger settled = BigInteger.ZERO;
                    int slice = 0;
                    for (BigInteger charge : one.at("charges").list(Place::amount)) {
                        assertEquals(paid.get(slice), Money.split(amounts, settled, charge));
                        settled = settled.add(charge);
                        slice++;
                    }
                });
    }

    @Test
    void moreThanThePriceIsRefused() {
        refuses(
                ErrorCode.ChargeExceedsRemainder,
                () -> Money.split(List.of(BigInteger.TEN), BigInteger.TWO, BigInteger.valueOf(9)));
    }

    private static Place dids() {
        return Vector.read("did", "valid", "invalid", "derived", "published", "mains");
    }

    private static Place ids() {
        return Vector.read("ids", "conditions", "dids");
    }
}
