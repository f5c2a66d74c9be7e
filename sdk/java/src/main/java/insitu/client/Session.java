package insitu.client;

import insitu.InsituException;
import insitu.domain.Assertion;
import insitu.domain.Signatures;
import insitu.domain.Signer;
import insitu.internal.Bytes;
import insitu.internal.Place;
import insitu.internal.http.Http;
import insitu.internal.http.Http.Call;
import insitu.json.Json;
import insitu.json.JsonNumber;
import insitu.json.JsonValue;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The session of an account at a gateway: it signs once, for all operations, and again when the session is over. */
final class Session {
    private static final List<String> OPERATIONS =
            List.of("exec", "compute", "download", "encrypt", "upload", "publish");
    private static final String JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    // Before a token's end it is no longer used.
    private static final Duration MARGIN = Duration.ofSeconds(30);
    private static final SecureRandom CHANCE = new SecureRandom();

    private record Token(
            String access, long seconds, @Nullable String refresh, long received) {
        boolean isFresh() {
            return System.nanoTime() - received
                    < Duration.ofSeconds(seconds).minus(MARGIN).toNanos();
        }
    }

    private final Http http;
    private final String base;
    private final Signer account;
    private final ReentrantLock turn = new ReentrantLock();
    private @Nullable Token held;

    Session(Http http, String url, Signer account) {
        this.http = http;
        this.base = url + Gateway.BASE;
        this.account = account;
    }

    /**
     * Returns an access token. One thread at a time asks for another: a refresh token can be used once.
     *
     * @param refused the token that the gateway refused, if it refused one
     */
    String token(@Nullable String refused) throws InterruptedException {
        turn.lockInterruptibly();
        try {
            Token token = held;
            if (token == null || !token.isFresh() || token.access().equals(refused)) {
                token = renew(token);
                held = token;
            }
            return token.access();
        } finally {
            turn.unlock();
        }
    }

    void signOut() throws InterruptedException {
        turn.lockInterruptibly();
        try {
            Token token = held;
            held = null;
            if (token != null && token.refresh() != null) {
                http.call(form("/oauth/revoke", Map.of("token", token.refresh())), answer -> answer);
            }
        } finally {
            turn.unlock();
        }
    }

    private Token renew(@Nullable Token old) throws InterruptedException {
        if (old != null && old.refresh() != null) {
            try {
                return ask(Map.of("grant_type", "refresh_token", "refresh_token", old.refresh()));
            } catch (InsituException refusal) {
                if (!List.of("NotAllowed", "TokenError").contains(refusal.kind())) {
                    throw refusal;
                }
            }
        }
        held = null;
        return ask(Map.of("grant_type", JWT_BEARER, "assertion", assertion()));
    }

    // RFC 7523 and RFC 8812: for this gateway, once, now. Another gateway cannot use it.
    private String assertion() {
        byte[] nonce = new byte[24];
        CHANCE.nextBytes(nonce);
        JsonValue audience = Json.of(
                OPERATIONS.stream().map(operation -> base + "/" + operation).toList());
        String once = Base64.getUrlEncoder().encodeToString(nonce);
        String text = Assertion.text(account.address(), audience, Instant.now().getEpochSecond(), once, false);
        return Assertion.signed(text, account.address(), account.sign(Signatures.es256kDigest(text)));
    }

    private Token ask(Map<String, String> members) throws InterruptedException {
        return http.call(
                form("/oauth/token", members),
                answer -> new Token(
                        answer.at("access_token").text(),
                        answer.at("expires_in").integer(0, JsonNumber.MAX),
                        answer.at("refresh_token").optional(Place::text),
                        System.nanoTime()));
    }

    private Call form(String path, Map<String, String> members) {
        String body = members.entrySet().stream()
                .map(member -> member.getKey() + "=" + URLEncoder.encode(member.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        Map<String, String> headers =
                Map.of("Accept", "application/json", "Content-Type", "application/x-www-form-urlencoded");
        return new Call("POST", Http.address(base + path), headers, Bytes.utf8(body), false);
    }

    @Override
    public String toString() {
        return "Session[" + account.address() + " at " + base + "]";
    }
}
