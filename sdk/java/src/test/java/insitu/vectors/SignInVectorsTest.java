package insitu.vectors;

import static insitu.vectors.Vector.isNull;
import static insitu.vectors.Vector.refuses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.Assertion;
import insitu.domain.LocalSigner;
import insitu.domain.SignInMessage;
import insitu.domain.Signatures;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.json.Json;
import insitu.json.JsonArray;
import insitu.json.JsonString;
import insitu.json.JsonValue;
import java.net.URI;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Judges sign-ins as a gateway does that nobody met before. */
final class SignInVectorsTest {
    private static final Place VECTOR = Vector.read("sign-in", "gateway", "key", "contracts", "cases");
    private static final Place GATEWAY = VECTOR.at("gateway");
    private static final long NOW = seconds(GATEWAY.at("now").text());
    private static final String SERVICES = GATEWAY.at("publicUrl").text() + "/api/v1/gateway/services";
    private static final List<String> OPERATIONS = List.of("compute", "download", "encrypt", "exec", "upload");
    private static final long LONGEST = 600;
    private static final long LEEWAY = 30;

    private record SignIn(
            Address account, byte[] digest, byte[] signature, List<JsonValue> audiences, boolean isSession) {}

    private record Judged(String account, List<String> operations, boolean isSession) {}

    @TestFactory
    Stream<DynamicTest> everyFormOfSigningIn() {
        return Vector.each(VECTOR.at("cases"), one -> one.at("name").text(), one -> {
            if (isNull(one.at("code"))) {
                List<String> operations = one.at("operations").list(Place::text);
                Judged expected = new Judged(
                        one.at("account").text(), operations, one.at("session").flag());
                assertEquals(expected, judge(signIn(one)));
            } else {
                refuses(one.at("code").text(), () -> judge(signIn(one)));
            }
        });
    }

    @Test
    void whatThisPackageWritesIsWhatItReads() {
        LocalSigner signer = LocalSigner.of(VECTOR.at("key").text());
        JsonValue audience = Json.of(List.of(SERVICES + "/exec"));
        String text = Assertion.text(signer.address(), audience, NOW, "once", false);
        String assertion = Assertion.signed(text, signer.address(), signer.sign(Signatures.es256kDigest(text)));
        Judged session = new Judged(signer.address().text(), List.of("exec"), true);
        assertEquals(session, judge(byAssertion(assertion)));
        String personal = Assertion.text(signer.address(), audience, NOW, "once", true);
        String shown = Assertion.signed(personal, signer.address(), signer.signText(personal));
        assertEquals(session, judge(byAssertion(shown)));
    }

    @TestFactory
    Stream<DynamicTest> aMessageIsExactlyWhatItsFieldsRenderTo() {
        List<String> texts = Vector.items(VECTOR.at("cases")).stream()
                .filter(one -> isNull(one.at("code")) && !one.at("message").isAbsent())
                .map(one -> one.at("message").text())
                .toList();
        return texts.stream()
                .map(text -> DynamicTest.dynamicTest(text.lines().findFirst().orElse(""), () -> {
                    assertEquals(text, SignInMessage.read(text).render());
                    refuses("InvalidToken", () -> SignInMessage.read(text + "\n- two words"));
                    refuses("InvalidToken", () -> SignInMessage.read(text + "\n- "));
                }));
    }

    private static SignIn signIn(Place one) {
        return one.at("assertion").isAbsent()
                ? byMessage(one.at("message").text(), one.at("signature").text())
                : byAssertion(one.at("assertion").text());
    }

    private static Judged judge(SignIn given) {
        List<String> operations = OPERATIONS.stream()
                .filter(operation -> given.audiences.contains(new JsonString(SERVICES + "/" + operation)))
                .toList();
        require(operations.size() == given.audiences.size(), "AudienceMismatch");
        require(isSigned(given), "SignatureMismatch");
        return new Judged(given.account.text(), operations, given.isSession);
    }

    private static SignIn byAssertion(String text) {
        Assertion assertion = Assertion.read(text);
        Place claims = Place.of(assertion.claims());
        requirePrompt(
                claims.at("iat").orElse(0L, Place::integer), claims.at("exp").integer());
        require(claims.at("jti").value() instanceof JsonString, "InvalidToken");
        JsonValue audience = assertion.claims().members().getOrDefault("aud", Json.of(""));
        boolean isSession = audience instanceof JsonArray;
        List<JsonValue> audiences = audience instanceof JsonArray list ? list.items() : List.of(audience);
        return new SignIn(assertion.account(), assertion.digest(), assertion.signature(), audiences, isSession);
    }

    private static SignIn byMessage(String text, String signature) {
        SignInMessage message = SignInMessage.read(text);
        String page = (message.scheme() == null ? "https" : message.scheme()) + "://" + message.domain();
        List<String> pages = Stream.concat(
                        Stream.of(GATEWAY.at("publicUrl").text()),
                        GATEWAY.at("marketplaces").list(Place::text).stream())
                .map(url ->
                        URI.create(url).getScheme() + "://" + URI.create(url).getAuthority())
                .toList();
        require(pages.contains(page), "OriginNotAllowed");
        require(message.uri().equals(SERVICES + "/oauth/token"), "AudienceMismatch");
        require(message.chainId() == GATEWAY.at("chainId").count(), "InvalidToken");
        long issued = seconds(message.issuedAt());
        long expires = seconds(message.expirationTime());
        requirePrompt(issued, expires);
        require(expires - issued <= LONGEST, "InvalidToken");
        List<JsonValue> audiences =
                message.resources().stream().<JsonValue>map(JsonString::new).toList();
        byte[] digest = Signatures.personalDigest(text);
        return new SignIn(message.address(), digest, Signatures.ofAccount(signature), audiences, true);
    }

    private static void requirePrompt(long issued, long expires) {
        require(expires > NOW, "TokenExpired");
        require(expires <= NOW + LONGEST + LEEWAY && issued <= NOW + LEEWAY, "InvalidToken");
    }

    // A contract account decides for itself (ERC-1271); the vector lists what each accepts.
    private static boolean isSigned(SignIn given) {
        List<Place> contracts = Vector.items(VECTOR.at("contracts")).stream()
                .filter(one -> one.at("account").address().equals(given.account))
                .toList();
        return contracts.isEmpty()
                ? Signatures.isSignedBy(given.digest, given.signature, given.account)
                : contracts.stream()
                        .anyMatch(one -> one.at("digest").text().equals(Bytes.digits(given.digest))
                                && one.at("signature").text().equals(Bytes.hex(given.signature)));
    }

    private static void require(boolean holds, String code) {
        if (!holds) {
            throw new InsituException(code, "");
        }
    }

    private static long seconds(String time) {
        return OffsetDateTime.parse(time).toEpochSecond();
    }
}
