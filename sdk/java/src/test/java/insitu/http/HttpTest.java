package insitu.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.client.Client;
import insitu.client.Insitu;
import insitu.domain.LocalSigner;
import insitu.http.ScriptedServer.Script;
import insitu.internal.Place;
import insitu.internal.http.Body;
import insitu.internal.http.Bounds;
import insitu.internal.http.Http;
import insitu.internal.http.Http.Call;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class HttpTest {
    private static final Bounds SHORT =
            new Bounds(Duration.ofSeconds(5), Duration.ofMillis(300), Duration.ofMillis(300), Duration.ofSeconds(2));

    private static final Script NOT_NOW =
            ScriptedServer.answer(503, "{\"code\":\"PeerUnavailable\",\"detail\":\"later\",\"retry\":true}");

    @Test
    void aServerThatNeverAnswersIsLeft() throws IOException {
        assertEquals("is silent", refusalOf(post(), new Script("", true)));
    }

    @Test
    void aBodyThatStopsAfterTheHeadersIsLeft() throws IOException {
        String begun = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\"";
        assertEquals("is silent", refusalOf(post(), new Script(begun, true)));
    }

    @Test
    void aWholeCallEndsInTimeHoweverPatientTheClientIsWithEachPiece() throws IOException {
        Bounds bounds = new Bounds(
                Duration.ofSeconds(5), Duration.ofSeconds(30), Duration.ofMinutes(5), Duration.ofMillis(300));
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.stream("{", true));
                Http http = new Http(bounds)) {
            InsituException refusal =
                    assertThrows(InsituException.class, () -> http.call(post().apply(server.address()), Place::object));
            assertEquals(ErrorCode.PeerUnavailable, refusal.code());
        }
    }

    @Test
    void aBodyThatIsCutOffIsRefused() throws IOException {
        String begun = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\"";
        assertEquals("broke off", refusalOf(post(), new Script(begun, false)));
    }

    @Test
    void aBodyThatIsTooLongIsRefused() throws IOException {
        String detail = refusalOf(post(), ScriptedServer.stream("x".repeat(33 * 1024 * 1024), false));
        assertTrue(detail.startsWith("answers with more than "), detail);
    }

    @Test
    void somethingElseThanJsonIsRefused() throws IOException {
        String detail = refusalOf(post(), ScriptedServer.answer(200, "<html>"));
        assertTrue(detail.startsWith("sent an unexpected answer"), detail);
    }

    @Test
    void aRedirectIsRefusedAndItsTargetSeesNothing() throws IOException {
        try (ScriptedServer target = new ScriptedServer(ScriptedServer.answer(200, "{}"))) {
            Script redirect = ScriptedServer.answer(302, "", "Location: " + target.address());
            assertEquals("redirects", refusalOf(post(), redirect));
            assertTrue(target.requests().isEmpty());
        }
    }

    @Test
    void onlyWhatIsHarmlessIsRepeated() throws IOException, InterruptedException {
        try (ScriptedServer server = new ScriptedServer(NOT_NOW, ScriptedServer.answer(200, "{\"a\":1}"));
                Http http = new Http(Bounds.DEFAULT)) {
            Call get = Call.get(server.address(), Map.of());
            assertEquals(
                    1L, (long) http.<Long>call(get, answer -> answer.at("a").count()));
            assertEquals(2, server.requests().size());
        }
        try (ScriptedServer server = new ScriptedServer(NOT_NOW);
                Http http = new Http(Bounds.DEFAULT)) {
            assertThrows(InsituException.class, () -> http.call(post().apply(server.address()), Place::object));
            assertEquals(1, server.requests().size());
        }
    }

    @Test
    void aServerThatAsksForALongWaitIsNotAskedAgain() throws IOException {
        Script later = ScriptedServer.answer(429, "{\"code\":\"MoonIsFull\",\"detail\":\"later\"}", "Retry-After: 60");
        try (ScriptedServer server = new ScriptedServer(later);
                Http http = new Http(Bounds.DEFAULT)) {
            Call get = Call.get(server.address(), Map.of());
            InsituException refusal = assertThrows(InsituException.class, () -> http.call(get, Place::object));
            assertEquals("MoonIsFull", refusal.code());
            assertEquals("LimitReached", refusal.kind());
            assertEquals(1, server.requests().size());
        }
    }

    @Test
    void aProblemKeepsWhatTheServerSays() throws IOException {
        String problem = "{\"code\":\"InvalidDocument\",\"detail\":\"no\",\"nextStep\":\"Mend it.\",\"pointer\":\"/a\","
                + "\"problems\":[{\"pointer\":\"/a\",\"code\":\"X\",\"message\":\"m\"}],\"context\":{\"n\":1}}";
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.answer(422, problem));
                Http http = new Http(Bounds.DEFAULT)) {
            InsituException refusal =
                    assertThrows(InsituException.class, () -> http.call(post().apply(server.address()), Place::object));
            assertEquals("InvalidDocument: no", refusal.getMessage());
            assertEquals("Mend it.", refusal.nextStep());
            assertEquals("/a", refusal.pointer().orElseThrow());
            assertEquals("X", refusal.problems().get(0).code());
            assertEquals(Map.of("n", "1"), refusal.context());
        }
    }

    @Test
    void anInterruptedThreadIsToldAtOnce() throws IOException {
        try (ScriptedServer server = new ScriptedServer(new Script("", true));
                Http http = new Http(Bounds.DEFAULT)) {
            Thread.currentThread().interrupt();
            assertThrows(
                    InterruptedException.class, () -> http.call(Call.get(server.address(), Map.of()), Place::object));
            assertFalse(Thread.currentThread().isInterrupted());
        }
    }

    @Test
    void closingABodyFromAnotherThreadEndsTheWait() throws IOException, InterruptedException {
        try (ScriptedServer server = new ScriptedServer(ScriptedServer.stream("first", true));
                Http http = new Http(Bounds.DEFAULT)) {
            Body body = http.open(Call.get(server.address(), Map.of()));
            assertEquals("first", new String(body.next()));
            CountDownLatch begun = new CountDownLatch(1);
            Thread closer = new Thread(() -> {
                try {
                    begun.await();
                } catch (InterruptedException over) {
                    Thread.currentThread().interrupt();
                }
                body.close();
            });
            closer.start();
            begun.countDown();
            assertNull(body.next());
            closer.join();
        }
    }

    @Test
    void aTokenIsSentToNobodyElse() throws IOException {
        Script token = ScriptedServer.answer(200, "{\"access_token\":\"secret\",\"expires_in\":600}");
        Script moved = ScriptedServer.answer(307, "", "Location: http://127.0.0.1:1/");
        String key = "01".repeat(32);
        try (ScriptedServer server = new ScriptedServer(token, moved);
                Client client = Insitu.connect(server.address().toString(), LocalSigner.of(key))) {
            InsituException refusal =
                    assertThrows(InsituException.class, () -> client.compute().executions(1));
            assertEquals(ErrorCode.PeerUnavailable, refusal.code());
            assertEquals("Bearer secret", server.requests().get(1).headers().get("authorization"));
            assertFalse(refusal.toString().contains("secret"));
        }
    }

    @Test
    void aDocumentIsReadWhereItWasMovedButNotForEver() throws IOException, InterruptedException {
        Script moved = ScriptedServer.answer(302, "", "Location: /elsewhere");
        try (ScriptedServer server = new ScriptedServer(moved, ScriptedServer.answer(200, "{\"id\":\"here\"}"));
                Http http = new Http(Bounds.DEFAULT)) {
            assertEquals(
                    "here", http.document(server.address(), at -> at.at("id").text()));
            assertEquals("GET /elsewhere HTTP/1.1", server.requests().get(1).line());
        }
        try (ScriptedServer server = new ScriptedServer(moved);
                Http http = new Http(Bounds.DEFAULT)) {
            InsituException refusal =
                    assertThrows(InsituException.class, () -> http.document(server.address(), Place::object));
            assertEquals(ErrorCode.PeerUnavailable, refusal.code());
            assertEquals(6, server.requests().size());
        }
        Script elsewhere = ScriptedServer.answer(302, "", "Location: file:///etc/passwd");
        try (ScriptedServer server = new ScriptedServer(elsewhere);
                Http http = new Http(Bounds.DEFAULT)) {
            InsituException refusal =
                    assertThrows(InsituException.class, () -> http.document(server.address(), Place::object));
            assertEquals(ErrorCode.InvalidRequest, refusal.code());
        }
    }

    @Test
    void onlyAddressesOfHttpAreCalled() {
        for (String wrong : new String[] {"", "ftp://x", "file:///etc/passwd", "http://", "no url", "//x"}) {
            InsituException refusal = assertThrows(InsituException.class, () -> Http.address(wrong));
            assertEquals(ErrorCode.InvalidRequest, refusal.code());
        }
    }

    private interface Calling {
        Call apply(URI address);
    }

    private static Calling post() {
        return address -> new Call("POST", address, Map.of(), new byte[] {'{', '}'}, false);
    }

    /** Returns what the client says about a server, without its name. */
    private static String refusalOf(Calling calling, Script script) throws IOException {
        try (ScriptedServer server = new ScriptedServer(script);
                Http http = new Http(script.staysSilent() ? SHORT : Bounds.DEFAULT)) {
            InsituException refusal = assertThrows(
                    InsituException.class, () -> http.call(calling.apply(server.address()), Place::object));
            assertEquals(ErrorCode.PeerUnavailable, refusal.code(), refusal.getMessage());
            assertTrue(refusal.retry());
            return refusal.detail().substring(server.address().getAuthority().length() + 1);
        }
    }
}
