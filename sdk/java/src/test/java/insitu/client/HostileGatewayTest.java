package insitu.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.AgreementId;
import insitu.domain.FileDigest;
import insitu.domain.LocalSigner;
import insitu.http.ScriptedServer;
import insitu.http.ScriptedServer.Script;
import insitu.internal.Bytes;
import insitu.internal.Hashes;
import insitu.internal.Place;
import insitu.internal.http.Bounds;
import insitu.internal.http.Http;
import insitu.json.Json;
import insitu.json.JsonObject;
import insitu.receipt.Receipts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a gateway sends for an execution is refused where it is of another one, or would harm the caller's machine. */
@Timeout(60)
final class HostileGatewayTest {
    private static final Bounds SHORT =
            new Bounds(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofMillis(300), Duration.ofSeconds(5));
    private static final Script TOKEN = ScriptedServer.answer(200, "{\"access_token\":\"secret\",\"expires_in\":600}");
    private static final AgreementId AGREEMENT = new AgreementId("ab".repeat(32));
    private static final String ID = AGREEMENT.execution(0);

    @TempDir
    private Path root;

    private interface Act<T> {
        T on(Execution execution) throws InterruptedException;
    }

    @Test
    void noNameOfAFileLeavesTheFolder() throws IOException {
        List<String> names = List.of(
                "../../outside",
                "..",
                "/outside",
                "a/../../outside",
                "a\\..\\outside",
                "C:\\outside",
                ".",
                "",
                "a//b",
                "out\u202Etxt.exe",
                "out\u0000",
                "out\n",
                "a/",
                " out",
                "out.",
                "x".repeat(300),
                "a/".repeat(40) + "b");
        for (String name : names) {
            assertEquals(ErrorCode.InvalidDocument, refused(result(Map.of(name, "x"))), name);
            assertEquals(List.of(), everything(), name);
        }
    }

    @Test
    void twoNamesThatAreOneFileOnSomeSystemAreRefused() throws IOException {
        for (List<String> names : List.of(
                List.of("out.txt", "OUT.txt"), List.of("a", "a/b"), List.of("é", "e\u0301"), List.of("a/b", "A/B"))) {
            Map<String, String> files = new LinkedHashMap<>();
            names.forEach(name -> files.put(name, "x"));
            assertEquals(ErrorCode.InvalidDocument, refused(result(files)), names.toString());
            assertEquals(List.of(), everything(), names.toString());
        }
    }

    @Test
    void aFileThatSomebodyElseMadeMeanwhileIsKept() throws IOException, InterruptedException {
        Path theirs = root.resolve("result").resolve("out.txt");
        ScriptedServer server =
                new ScriptedServer(TOKEN, result(Map.of("out.txt", "x")), ScriptedServer.answer(200, "x")) {
                    @Override
                    protected void asked(Request request) {
                        if (request.line().contains("/download/")) {
                            write(theirs, "theirs");
                        }
                    }
                };
        assertEquals(ErrorCode.StorageFailed, codeOf(server, execution -> execution.download(root.resolve("result"))));
        assertEquals("theirs", Files.readString(theirs));
        assertEquals(List.of("out.txt"), everything());
    }

    @Test
    void aFileIsThereCompletelyOrNotAtAll() throws IOException {
        Script result = result(Map.of("out.txt", "x".repeat(100)));
        Script cut = new Script("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxxx", false);
        Script silent = new Script("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxxx", true);
        Script endless = ScriptedServer.stream("x".repeat(5_000_000), true);
        assertEquals(ErrorCode.PeerUnavailable, refused(result, cut));
        assertEquals(ErrorCode.PeerUnavailable, refused(result, silent));
        for (Script other : List.of(
                ScriptedServer.answer(200, "y".repeat(100)),
                ScriptedServer.answer(200, "x".repeat(99)),
                ScriptedServer.answer(200, ""),
                endless)) {
            assertEquals(ErrorCode.ChecksumMismatch, refused(result, other));
        }
        assertEquals(List.of(), everything());
    }

    @Test
    void filesInAnotherOrderAreRefused() throws IOException {
        Map<String, String> files = new LinkedHashMap<>();
        files.put("a", "one");
        files.put("b", "two");
        Script[] swapped = {result(files), ScriptedServer.answer(200, "two"), ScriptedServer.answer(200, "one")};
        assertEquals(ErrorCode.ChecksumMismatch, refused(swapped));
        assertEquals(List.of(), everything());
    }

    @Test
    void whatIsSaidOfAnotherExecutionIsRefused() throws IOException {
        Script other =
                ScriptedServer.answer(200, text(event(AGREEMENT.execution(1)).with("phase", Json.of("Succeeded"))));
        assertEquals(ErrorCode.PeerUnavailable, refusedBy(Execution::status, other));
        assertEquals(ErrorCode.PeerUnavailable, refusedBy(Execution::stop, other));
        Script happened =
                ScriptedServer.stream("event: phase\ndata: " + text(event(AGREEMENT.execution(1))) + "\n\n", false);
        assertEquals(ErrorCode.PeerUnavailable, refusedBy(HostileGatewayTest::next, happened));
        JsonObject foreign = event(ID).with("serviceAgreementId", Json.of("cd".repeat(32)));
        Script elsewhere = ScriptedServer.stream("event: phase\ndata: " + text(foreign) + "\n\n", false);
        assertEquals(ErrorCode.PeerUnavailable, refusedBy(HostileGatewayTest::next, elsewhere));
    }

    @Test
    void anEventThatIsNoneIsRefused() throws IOException {
        for (String data : List.of("nonsense", "[]", "{}", "{\"type\":1}", "{\"type\":\"phase\"}")) {
            Script stream = ScriptedServer.stream("event: phase\ndata: " + data + "\n\n", false);
            assertEquals(ErrorCode.PeerUnavailable, refusedBy(HostileGatewayTest::next, stream), data);
        }
        Script log = ScriptedServer.stream("event: log\ndata: {\"text\":1}\n\n", false);
        assertEquals(ErrorCode.PeerUnavailable, refusedBy(HostileGatewayTest::next, log));
    }

    @Test
    void aReceiptIsThatOfThisExecutionOrRefused() throws IOException, InterruptedException {
        Place valid = Place.of(Json.read(Files.readAllBytes(Path.of("..", "..", "tests", "vectors", "receipt.json"))))
                .list(at -> at)
                .stream()
                .filter(one -> one.at("name").text().equals("v1: succeeded"))
                .findFirst()
                .orElseThrow();
        JsonObject envelope = valid.at("envelope").object();
        var predicate = Receipts.verify(Json.canonical(envelope)).statement().predicate();
        AgreementId agreement = new AgreementId(predicate.agreement().serviceAgreementId());
        Script answer = ScriptedServer.answer(200, text(Json.objectOf(Map.of("envelope", envelope))));
        try (ScriptedServer server = new ScriptedServer(TOKEN, answer);
                Http http = new Http(SHORT)) {
            Execution own = execution(http, server, agreement, predicate.workflowExecutionId());
            assertEquals(
                    envelope.get("payload"),
                    Json.of(Base64.getEncoder().encodeToString(own.receipt().bytes())));
        }
        for (AgreementId other : List.of(AGREEMENT, agreement)) {
            try (ScriptedServer server = new ScriptedServer(TOKEN, answer);
                    Http http = new Http(SHORT)) {
                Execution execution = execution(http, server, other, other.execution(7));
                InsituException refusal = assertThrows(InsituException.class, execution::receipt);
                assertEquals(ErrorCode.ReceiptInvalid, refusal.code());
            }
        }
    }

    @Test
    void otherFilesThanThoseOfTheReceiptAreRefused() throws IOException {
        Place receipts =
                Place.of(Json.read(Files.readAllBytes(Path.of("..", "..", "tests", "vectors", "receipt.json"))));
        JsonObject envelope = receipts.list(at -> at).get(0).at("envelope").object();
        var verified = Receipts.verify(Json.canonical(envelope));
        FileDigest other = new FileDigest("out.txt", "ab".repeat(32), 1);
        for (List<FileDigest> files : List.of(List.<FileDigest>of(), List.of(other))) {
            InsituException refusal = assertThrows(InsituException.class, () -> verified.requireFiles(files));
            assertEquals(ErrorCode.ReceiptInvalid, refusal.code());
        }
    }

    private static Object next(Execution execution) throws InterruptedException {
        try (EventStream stream = execution.stream()) {
            return stream.next();
        }
    }

    private String refused(Script... scripts) throws IOException {
        return refusedBy(execution -> execution.download(root.resolve("result")), scripts);
    }

    private static String refusedBy(Act<?> act, Script... scripts) throws IOException {
        Script[] all = Stream.concat(Stream.of(TOKEN), Arrays.stream(scripts)).toArray(Script[]::new);
        return codeOf(new ScriptedServer(all), act);
    }

    private static String codeOf(ScriptedServer scripted, Act<?> act) throws IOException {
        try (ScriptedServer server = scripted;
                Http http = new Http(SHORT)) {
            Execution execution = execution(http, server, AGREEMENT, ID);
            return assertThrows(InsituException.class, () -> act.on(execution)).code();
        }
    }

    private static Execution execution(Http http, ScriptedServer server, AgreementId agreement, String id) {
        String url = server.address().toString();
        Session session = new Session(http, url, LocalSigner.of("01".repeat(32)));
        return new Execution(new Gateway(http, url, session), agreement, id);
    }

    private static JsonObject event(String execution) {
        return Json.objectOf(
                Map.of("type", "phase", "serviceAgreementId", AGREEMENT.text(), "workflowExecutionId", execution));
    }

    private static Script result(Map<String, String> contents) {
        List<Map<String, Object>> files = new ArrayList<>();
        contents.forEach((name, content) -> files.add(Map.of(
                "index",
                (long) files.size(),
                "name",
                name,
                "checksum",
                "sha256:" + Bytes.digits(Hashes.sha256(Bytes.utf8(content))),
                "contentLength",
                (long) content.length())));
        return ScriptedServer.answer(
                200, text(Json.objectOf(Map.of("did", "did:nv:" + "ab".repeat(32), "files", files))));
    }

    private static String text(JsonObject json) {
        return Json.text(json);
    }

    /** Returns what is in the folder of this test and below, without the folder of the result itself. */
    private List<String> everything() throws IOException {
        try (Stream<Path> paths = Files.walk(root)) {
            return paths.filter(Files::isRegularFile)
                    .map(path -> path.getFileName().toString())
                    .toList();
        }
    }

    private static void write(Path path, String text) {
        try {
            Files.writeString(path, text);
        } catch (IOException cause) {
            throw new UncheckedIOException(cause);
        }
    }
}
