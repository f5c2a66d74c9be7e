package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import insitu.ErrorCode;
import insitu.domain.Address;
import insitu.domain.Did;
import insitu.domain.LocalSigner;
import insitu.domain.Permit;
import insitu.domain.Requests;
import insitu.domain.Signatures;
import insitu.domain.SignedPermit;
import insitu.domain.SignedPurchase;
import insitu.domain.SignedRequest;
import insitu.domain.SigningDomain;
import insitu.domain.Terms;
import insitu.domain.TypedData;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonObject;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class RequestVectorsTest {
    @TestFactory
    Stream<DynamicTest> approvals() {
        Place vector = Vector.read("approvals", "chainId", "registry", "types", "cases");
        assertEquals(written(vector.at("types")), Requests.approvals());
        return Vector.each(
                vector.at("cases"),
                one -> one.at("kind").text(),
                one -> isSigned(
                        one,
                        Requests.approval(
                                one.at("kind").text(),
                                one.at("members").object(),
                                vector.at("chainId").count(),
                                vector.at("registry").address())));
    }

    @TestFactory
    Stream<DynamicTest> catalogueRequests() {
        Place vector = catalogues();
        assertEquals(written(vector.at("types")), Requests.catalogues());
        return Vector.each(
                vector.at("cases"),
                one -> one.at("kind").text(),
                one -> isSigned(
                        one,
                        Requests.catalogue(
                                one.at("kind").text(),
                                one.at("members").object(),
                                vector.at("chainId").count(),
                                vector.at("registry").address())));
    }

    @TestFactory
    Stream<DynamicTest> whatIsListedBeforeAnybodySigns() {
        return Vector.each(
                catalogues().at("listedByDefault"),
                one -> Json.text(one.at("main").object()),
                one -> assertEquals(
                        one.at("listed").flag(),
                        Requests.isListedByDefault(one.at("main").object())));
    }

    @Test
    void aStatementWithOtherMembersIsRefused() {
        Place vector = Vector.read("approvals", "chainId", "registry", "types", "cases");
        Place one = Vector.items(vector.at("cases")).get(0);
        Address registry = vector.at("registry").address();
        JsonObject more = one.at("members").object().with("more", Json.of(1));
        refuses(
                ErrorCode.InvalidDocument,
                () -> Requests.approval(one.at("kind").text(), more, 1, registry));
        assertThrows(IllegalArgumentException.class, () -> Requests.approval("Other", more, 1, registry));
    }

    @TestFactory
    Stream<DynamicTest> signedRequests() {
        return Vector.each(
                Vector.read("signed-requests", "requests").at("requests"),
                one -> one.at("what").text(),
                one -> {
                    JsonObject json = one.at("request").object();
                    SignedRequest request = SignedRequest.read(json, "");
                    assertEquals(
                            one.at("digest").text(), Bytes.hex(request.data().digest()));
                    assertEquals(
                            one.at("signer").text(),
                            Signatures.recover(request.data().digest(), request.signature())
                                    .text());
                    assertEquals(
                            one.at("dids").list(Place::text),
                            request.dids().stream().map(Did::text).toList());
                    var refusal = refuses(
                            ErrorCode.InvalidDocument,
                            () -> SignedRequest.read(json.with("more", Json.of(1)), "/proof/request"));
                    assertEquals("/proof/request", refusal.pointer().orElse(""));
                });
    }

    @Test
    void twoRequestsUnderOneSignatureAreRefused() {
        List<Place> requests =
                Vector.items(Vector.read("signed-requests", "requests").at("requests"));
        JsonObject both = requests.get(0).at("request").object();
        JsonObject transfer = requests.get(3).at("request").at("transfer").object();
        refuses(ErrorCode.InvalidDocument, () -> SignedRequest.read(both.with("transfer", transfer), ""));
    }

    @TestFactory
    Stream<DynamicTest> requestsAsTheContractsTestsWroteThem() {
        Map<String, String> members = Map.of(
                "Registrations", "registrations",
                "Updates", "updates",
                "Transfer", "transfer",
                "ProviderChange", "providerChange");
        Place requests =
                Vector.read("eip712", "agreements", "settlements", "requests").at("requests");
        return Vector.each(requests, one -> one.at("primaryType").text(), one -> {
            JsonObject message = one.at("message").object();
            if (message.get("items") != null) {
                message = message.with(
                        "items", Json.of(one.at("message").at("items").list(RequestVectorsTest::asDocumentsWriteIt)));
            }
            JsonObject json = Json.objectOf(Map.of(
                    "chainId",
                    one.at("chainId").count(),
                    "registry",
                    one.at("verifyingContract").text(),
                    "signature",
                    one.at("signature").text(),
                    members.get(one.at("primaryType").text()),
                    message));
            TypedData data = SignedRequest.read(json, "").data();
            SignatureVectorsTest.signs(data, one.at("digest"), one.at("key"), one.at("signature"));
        });
    }

    @TestFactory
    Stream<DynamicTest> purchasesAndTheirPermits() {
        Place purchases = Vector.read("purchase", "purchases").at("purchases");
        return Vector.each(purchases, one -> one.at("agreementId").text(), one -> {
            Place request = one.at("request");
            Place token = one.at("token");
            Address contract = one.at("verifyingContract").address();
            long chainId = one.at("chainId").count();
            Terms terms = SignatureVectorsTest.termsOf(request.at("terms"));
            SigningDomain domain = SigningDomain.ofAgreements(chainId, contract);
            assertEquals(one.at("agreementId").text(), terms.id(domain).text());
            LocalSigner consumer = LocalSigner.of(one.at("consumerKey").text());
            assertEquals(request.at("signature").text(), Bytes.hex(consumer.sign(terms.typedData(domain))));
            SigningDomain tokens = new SigningDomain(
                    token.at("name").text(),
                    token.at("version").text(),
                    chainId,
                    token.at("address").address());
            assertEquals(token.at("domainSeparator").text(), tokens.separator());
            Permit permit = new Permit(
                    terms.consumer(),
                    contract,
                    request.at("permit").at("value").amount(),
                    BigInteger.valueOf(one.at("nonce").count()),
                    request.at("permit").at("deadline").count());
            assertEquals(
                    one.at("permitDigest").text(),
                    Bytes.hex(permit.typedData(tokens).digest()));
            assertEquals(
                    request.at("permit").at("signature").text(), Bytes.hex(consumer.sign(permit.typedData(tokens))));
            SignedPermit signed = new SignedPermit(
                    permit.value(),
                    permit.deadline(),
                    request.at("permit").at("signature").text());
            SignedPurchase purchase =
                    new SignedPurchase(terms, request.at("signature").text(), signed);
            assertEquals(Json.text(request.object()), Json.text(purchase.json()));
        });
    }

    @TestFactory
    Stream<DynamicTest> aKeysSignatureIsSentWithItsWholeVAndThatOfAContractAccountAsItIs() {
        Place purchases = Vector.read("purchase", "purchases").at("purchases");
        return Vector.each(purchases, one -> one.at("agreementId").text(), one -> {
            Terms terms = SignatureVectorsTest.termsOf(one.at("request").at("terms"));
            SigningDomain domain = SigningDomain.ofAgreements(
                    one.at("chainId").count(), one.at("verifyingContract").address());
            String signature = one.at("request").at("signature").text();
            byte[] brief = Bytes.fromHex(signature);
            brief[64] -= 27;
            String foreign = "0x" + "00".repeat(65);
            assertEquals(signature, sent(terms, Bytes.hex(brief), domain));
            assertEquals(foreign, sent(terms, foreign, domain));
            assertEquals("0x" + "ab".repeat(130), sent(terms, "0x" + "ab".repeat(130), domain));
            refuses(ErrorCode.SignatureMismatch, () -> sent(terms, "0xab", domain));
        });
    }

    private static Object sent(Terms terms, String signature, SigningDomain domain) {
        return new SignedPurchase(terms, signature, null)
                .call(domain)
                .arguments()
                .get(1);
    }

    private static JsonObject asDocumentsWriteIt(Place item) {
        JsonObject json = item.object();
        return item.at("didSeed").isAbsent()
                ? json
                : json.without(Set.of("didSeed"))
                        .with("seed", Json.of(item.at("didSeed").text()));
    }

    private static void isSigned(Place one, TypedData data) {
        assertEquals(one.at("digest").text(), Bytes.hex(data.digest()));
        assertEquals(
                one.at("signer").text(),
                Signatures.recover(data.digest(), one.at("signature").text()).text());
    }

    private static Map<String, String> written(Place types) {
        Map<String, String> written = new TreeMap<>();
        types.map(Place::text).forEach((name, members) -> written.put(name, name + "(" + members + ")"));
        return written;
    }

    private static Place catalogues() {
        return Vector.read("catalogue-requests", "chainId", "registry", "types", "cases", "listedByDefault");
    }
}
