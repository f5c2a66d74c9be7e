package insitu.vectors;

import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import insitu.ErrorCode;
import insitu.domain.Address;
import insitu.domain.AgreementId;
import insitu.domain.LocalSigner;
import insitu.domain.Settlement;
import insitu.domain.Signatures;
import insitu.domain.SigningDomain;
import insitu.domain.Terms;
import insitu.domain.TypedData;
import insitu.internal.Bytes;
import insitu.internal.Place;
import java.io.Serializable;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class SignatureVectorsTest {
    private static final BigInteger ORDER =
            new BigInteger("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16);

    @TestFactory
    Stream<DynamicTest> digestAndSigner() {
        return Vector.each(Vector.read("signatures"), one -> one.at("name").text(), one -> {
            byte[] digest = digestOf(one);
            byte[] signature = Bytes.fromHex(one.at("signature").text());
            Address signer = new Address(one.at("signer").text());
            assertEquals(one.at("digest").text(), Bytes.digits(digest));
            assertEquals(signer, Signatures.recover(digest, signature));
            assertArrayEquals(signature, Signatures.complete(digest, Arrays.copyOf(signature, 64), signer));
            assertArrayEquals(
                    signature, LocalSigner.of("00".repeat(31) + "01").sign(digest), "the key 1 signs the same");
        });
    }

    @TestFactory
    Stream<DynamicTest> otherFormsOfASignatureAreRefused() {
        return Vector.each(Vector.read("signatures"), one -> one.at("name").text(), one -> {
            String signature = one.at("signature").text();
            BigInteger s = new BigInteger(signature.substring(66, 130), 16);
            String high = signature.substring(0, 66) + ORDER.subtract(s).toString(16);
            byte[] digest = digestOf(one);
            for (String wrong : new String[] {
                signature.substring(0, 130), signature.substring(0, 130) + "1d", high + "1b", "0x", "no"
            }) {
                refuses(ErrorCode.SignatureMismatch, () -> Signatures.recover(digest, wrong));
            }
            Address signer = new Address(one.at("signer").text());
            byte[] lowered = Signatures.complete(digest, Bytes.fromHex(high), signer);
            assertEquals(signer, Signatures.recover(digest, lowered));
        });
    }

    @TestFactory
    Stream<DynamicTest> termsAndTheirSignatures() {
        return Vector.each(
                eip712().at("agreements"), one -> one.at("agreementId").text(), one -> {
                    Terms terms = termsOf(one.at("terms"));
                    SigningDomain domain = domainOf(one);
                    assertEquals(one.at("agreementId").text(), terms.id(domain).hex());
                    signs(
                            terms.typedData(domain),
                            one.at("agreementId"),
                            one.at("consumerKey"),
                            one.at("consumerSignature"));
                });
    }

    @TestFactory
    Stream<DynamicTest> settlementsAndTheirSignatures() {
        return Vector.each(eip712().at("settlements"), one -> one.at("digest").text(), one -> {
            AgreementId agreement = new AgreementId(one.at("agreementId").text());
            signs(
                    settlementOf(one).typedData(agreement, domainOf(one)),
                    one.at("digest"),
                    one.at("providerKey"),
                    one.at("providerSignature"));
        });
    }

    @Test
    void aSignersTextShowsItsAddressOnly() {
        String key = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
        LocalSigner signer = LocalSigner.of(key);
        assertEquals("LocalSigner[" + signer.address() + "]", signer.toString());
        assertFalse(Serializable.class.isAssignableFrom(LocalSigner.class));
        for (String wrong : new String[] {"00".repeat(32), "ff".repeat(32), "1234", "secret"}) {
            var refusal = refuses(ErrorCode.KeyInvalid, () -> LocalSigner.of(wrong));
            assertFalse(refusal.getMessage().contains(wrong));
        }
    }

    static Terms termsOf(Place at) {
        return new Terms(
                at.at("seed").text(),
                at.at("did").text(),
                at.at("inputsHash").text(),
                at.at("workflowId").text(),
                at.at("workflowHash").text(),
                new Address(at.at("consumer").text()),
                new Address(at.at("provider").text()),
                at.at("serviceIndex").count(),
                at.at("deadline").count(),
                at.at("grantTimeout").count(),
                at.at("timeout").count(),
                at.at("settleTimeout").count(),
                at.at("amounts").list(Place::amount),
                at.at("receivers").list(one -> new Address(one.text())));
    }

    static Settlement settlementOf(Place at) {
        return new Settlement(
                at.at("index").count(),
                at.at("charge").amount(),
                at.at("receiptHash").text(),
                at.at("last").flag());
    }

    static void signs(TypedData data, Place digest, Place key, Place signature) {
        assertEquals(digest.text(), Bytes.hex(data.digest()));
        assertEquals(signature.text(), Bytes.hex(LocalSigner.of(key.text()).sign(data)));
    }

    private static SigningDomain domainOf(Place at) {
        Address contract = new Address(at.at("verifyingContract").text());
        return SigningDomain.ofAgreements(at.at("chainId").count(), contract);
    }

    private static byte[] digestOf(Place at) {
        String message = at.at("message").text();
        return at.at("name").text().equals("ES256K")
                ? Signatures.es256kDigest(message)
                : Signatures.personalDigest(message);
    }

    private static Place eip712() {
        return Vector.read("eip712", "agreements", "settlements", "requests");
    }
}
