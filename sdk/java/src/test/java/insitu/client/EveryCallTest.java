package insitu.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.AgreementId;
import insitu.domain.LocalSigner;
import insitu.http.ScriptedServer;
import insitu.http.ScriptedServer.Script;
import insitu.internal.http.Bounds;
import insitu.internal.http.EventFollower;
import insitu.internal.http.Http;
import insitu.internal.http.Http.Call;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Serializable;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** Every call that waits for a server ends in time with a code, ends at once when its thread is interrupted, and tells no key. */
@Timeout(60)
final class EveryCallTest {
    private static final String KEY = "0123456789abcdef".repeat(4);
    private static final String TOKEN = "secret-token";
    private static final LocalSigner SIGNER = LocalSigner.of(KEY);
    private static final String DID = "did:nv:" + "ab".repeat(32);
    private static final AgreementId AGREEMENT = new AgreementId("cd".repeat(32));
    private static final String EXECUTION = AGREEMENT.execution(0);
    private static final Script SILENT = new Script("", true);
    private static final Script SIGNED_IN =
            ScriptedServer.answer(200, "{\"access_token\":\"" + TOKEN + "\",\"expires_in\":600}");
    private static final Duration SHORT = Duration.ofMillis(300);

    private interface Act {
        void on(Client client, Execution execution) throws InterruptedException;
    }

    private static Map<String, Act> calls() {
        Map<String, Act> calls = new LinkedHashMap<>();
        calls.put("search", (client, execution) -> client.assets().search("words"));
        calls.put("summaries", (client, execution) -> client.assets().summaries(List.of(DID)));
        calls.put("resolve", (client, execution) -> client.assets().resolve(DID));
        calls.put("owner", (client, execution) -> client.assets().owner(DID));
        calls.put(
                "publish",
                (client, execution) ->
                        client.assets().publishAlgorithm("a", Map.of("a.py", new byte[] {35}), null, About.NOTHING));
        calls.put("list", (client, execution) -> client.assets().setListed(DID, true));
        calls.put("transfer", (client, execution) -> client.assets().transfer(DID, SIGNER.address()));
        calls.put("check", (client, execution) -> client.agreements().check(DID));
        calls.put("buy", (client, execution) -> client.agreements().buy(DID));
        calls.put("show", (client, execution) -> client.agreements().show(AGREEMENT.text()));
        calls.put("agreements", (client, execution) -> client.agreements().list(1));
        calls.put("close", (client, execution) -> client.agreements().close(AGREEMENT.text(), BigInteger.ZERO));
        calls.put("refund", (client, execution) -> client.agreements().refund(AGREEMENT.text()));
        calls.put("execute", (client, execution) -> client.compute().execute(AGREEMENT.text(), "run"));
        calls.put("executions", (client, execution) -> client.compute().executions(1));
        calls.put("execution", (client, execution) -> client.compute().execution(AGREEMENT.text(), EXECUTION));
        calls.put("status", (client, execution) -> execution.status());
        calls.put("stop", (client, execution) -> execution.stop());
        calls.put("download", (client, execution) -> execution.download(Path.of("target", "never")));
        calls.put("receipt", (client, execution) -> execution.receipt());
        return calls;
    }

    private static Map<String, Act> streams() {
        return Map.of(
                "follow", (client, execution) -> execution.follow(happened -> {}),
                "waitUntilEnded", (client, execution) -> execution.waitUntilEnded(),
                "stream", (client, execution) -> execution.stream().next());
    }

    @Test
    void aServerThatNeverAnswersIsLeftByEveryCall() throws Exception {
        assertEachIsLeft(SILENT);
    }

    @Test
    void anAnswerThatIsCutOffEndsEveryCall() throws Exception {
        assertEachIsLeft(new Script("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\"", false));
    }

    @Test
    void anAnswerThatStopsEndsEveryCall() throws Exception {
        assertEachIsLeft(new Script("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\"", true));
    }

    @Test
    void anAnswerThatIsNoneEndsEveryCall() throws Exception {
        assertEachIsLeft(ScriptedServer.answer(200, "[[[]]]"));
    }

    @Test
    void anAnswerWithoutEndEndsASearchAndAPurchase() throws Exception {
        Script endless = ScriptedServer.stream("x".repeat(33 * 1024 * 1024), false);
        for (String name : List.of("search", "buy")) {
            assertEquals(ErrorCode.PeerUnavailable, codeOf(calls().get(name), endless), name);
        }
    }

    @Test
    void aStreamThatNeverBringsAnythingIsLeft() throws Exception {
        for (Script script :
                List.of(SILENT, ScriptedServer.stream(": here\n\n", true), ScriptedServer.stream("", false))) {
            Bounds bounds = new Bounds(SHORT, SHORT, SHORT, SHORT);
            try (ScriptedServer server = new ScriptedServer(script);
                    Http http = new Http(bounds);
                    EventStream stream = new EventStream(
                            new EventFollower(
                                    (last, fresh) -> http.open(Call.get(server.address(), Map.of())),
                                    null,
                                    length -> {}),
                            at -> {})) {
                InsituException refusal = assertThrows(InsituException.class, stream::next);
                assertEquals(ErrorCode.PeerUnavailable, refusal.code());
                assertEquals(9, server.requests().size());
            }
        }
    }

    @TestFactory
    Stream<DynamicTest> anInterruptionEnds() {
        Map<String, Act> all = new LinkedHashMap<>(calls());
        all.putAll(streams());
        return all.entrySet().stream()
                .map(call -> DynamicTest.dynamicTest(call.getKey(), () -> {
                    assertInterrupted(call.getValue(), SILENT);
                    assertInterrupted(call.getValue(), new Script("HTTP/1.1 200 OK\r\n\r\n", true));
                }));
    }

    @Test
    void anInterruptionEndsTheWaitForAnotherThreadToo() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        try (ScriptedServer server = telling(asked, SILENT);
                Client client = Insitu.connect(server.address().toString(), SIGNER)) {
            CompletableFuture<Throwable> first = new CompletableFuture<>();
            Thread holder = start(first, () -> client.agreements().list(1));
            assertTrue(asked.await(20, TimeUnit.SECONDS));
            CompletableFuture<Throwable> second = new CompletableFuture<>();
            Thread waiting = start(second, () -> client.agreements().list(1));
            waiting.interrupt();
            assertEquals(
                    InterruptedException.class, second.get(20, TimeUnit.SECONDS).getClass());
            assertFalse(first.isDone());
            holder.interrupt();
            assertEquals(
                    InterruptedException.class, first.get(20, TimeUnit.SECONDS).getClass());
            assertEquals(1, server.requests().size());
        }
    }

    @Test
    void noKeyAndNoTokenIsInATextALogAnErrorOrTheNameOfAThread() throws Exception {
        StringWriter told = new StringWriter();
        PrintWriter out = new PrintWriter(told, true);
        PrintStream standard = System.out;
        PrintStream error = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        System.setErr(System.out);
        System.getLogger("insitu").log(System.Logger.Level.WARNING, "heard");
        try {
            for (Script script : List.of(
                    ScriptedServer.answer(401, "{\"code\":\"TokenExpired\",\"detail\":\"old\"}"),
                    ScriptedServer.answer(500, ""),
                    ScriptedServer.answer(200, "nonsense"))) {
                try (ScriptedServer server = new ScriptedServer(SIGNED_IN, script);
                        Client client = Insitu.connect(server.address().toString(), SIGNER)) {
                    Gateway gateway = gateway(server);
                    Execution execution = new Execution(gateway, AGREEMENT, EXECUTION);
                    InsituException refusal = assertThrows(InsituException.class, execution::stop);
                    refusal.printStackTrace(out);
                    out.println(
                            List.of(refusal, client, gateway, gateway.session(), execution, SIGNER, refusal.context()));
                    out.println(Insitu.at(server.address().toString(), SIGNER));
                    assertEquals(
                            "Bearer " + TOKEN,
                            server.requests().get(1).headers().get("authorization"));
                    Thread.getAllStackTraces().keySet().forEach(thread -> out.println(thread.getName()));
                }
            }
        } finally {
            System.setOut(standard);
            System.setErr(error);
        }
        assertThrows(InsituException.class, () -> LocalSigner.of(KEY + "00")).printStackTrace(out);
        assertThrows(InsituException.class, () -> LocalSigner.of("0x" + KEY + "g"))
                .printStackTrace(out);
        String all = told + printed.toString(StandardCharsets.UTF_8);
        assertTrue(all.contains("heard") && all.contains(SIGNER.address().text()), "nothing was listened to");
        byte[] key = new BigInteger(KEY, 16).toByteArray();
        List<String> forms = List.of(
                KEY.substring(0, 32),
                new BigInteger(KEY, 16).toString(),
                new BigInteger(KEY, 16).toString(16),
                Base64.getEncoder().encodeToString(key).substring(4, 32),
                TOKEN);
        for (String form : forms) {
            assertFalse(all.toLowerCase(Locale.ROOT).contains(form.toLowerCase(Locale.ROOT)), all);
        }
        assertFalse(Serializable.class.isAssignableFrom(LocalSigner.class), "Spark would send it to executors");
    }

    private static Gateway gateway(ScriptedServer server) {
        String url = server.address().toString();
        Http http = new Http(Bounds.DEFAULT);
        return new Gateway(http, url, new Session(http, url, SIGNER));
    }

    /** Runs every call at once, because each of them asks some times. */
    private static void assertEachIsLeft(Script script) throws Exception {
        Map<String, CompletableFuture<String>> codes = new LinkedHashMap<>();
        calls().forEach((name, act) ->
                codes.put(name, CompletableFuture.supplyAsync(() -> codeOf(act, script), task -> {
                    Thread thread = new Thread(task);
                    thread.setDaemon(true);
                    thread.start();
                })));
        List<String> others = new ArrayList<>();
        for (Map.Entry<String, CompletableFuture<String>> call : codes.entrySet()) {
            String code = call.getValue().get(50, TimeUnit.SECONDS);
            if (!code.equals(ErrorCode.PeerUnavailable)) {
                others.add(call.getKey() + " " + code);
            }
        }
        assertEquals(List.of(), others);
    }

    private static String codeOf(Act act, Script script) {
        try (ScriptedServer server = new ScriptedServer(script);
                Client client = Insitu.at(server.address().toString(), SIGNER)
                        .headersTimeout(SHORT)
                        .readTimeout(SHORT)
                        .connect();
                Http http = new Http(new Bounds(SHORT, SHORT, SHORT, Duration.ofSeconds(5)))) {
            act.on(client, execution(http, server));
            return "no refusal";
        } catch (InsituException refusal) {
            return refusal.code();
        } catch (InterruptedException | IOException cause) {
            return cause.toString();
        }
    }

    private static void assertInterrupted(Act act, Script script) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        try (ScriptedServer server = telling(asked, script);
                Client client = Insitu.connect(server.address().toString(), SIGNER);
                Http http = new Http(Bounds.DEFAULT)) {
            CompletableFuture<Throwable> ended = new CompletableFuture<>();
            Thread thread = start(ended, () -> act.on(client, execution(http, server)));
            assertTrue(asked.await(20, TimeUnit.SECONDS));
            thread.interrupt();
            assertEquals(
                    InterruptedException.class, ended.get(20, TimeUnit.SECONDS).getClass());
        }
    }

    private interface Blocking {
        void run() throws InterruptedException;
    }

    private static Thread start(CompletableFuture<Throwable> ended, Blocking act) {
        Thread thread = new Thread(() -> {
            try {
                act.run();
                ended.complete(new AssertionError("it ended by itself"));
            } catch (InterruptedException | RuntimeException cause) {
                ended.complete(cause);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static ScriptedServer telling(CountDownLatch asked, Script script) throws IOException {
        return new ScriptedServer(script) {
            @Override
            protected void asked(Request request) {
                asked.countDown();
            }
        };
    }

    private static Execution execution(Http http, ScriptedServer server) {
        String url = server.address().toString();
        return new Execution(new Gateway(http, url, new Session(http, url, SIGNER)), AGREEMENT, EXECUTION);
    }
}
